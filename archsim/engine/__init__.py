"""What happens: arrays busy, memories contending, stalls."""

"""What comes in: ONNX models."""

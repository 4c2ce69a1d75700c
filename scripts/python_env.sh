# Sourced by demo and test: sets PYTHON to the interpreter to use, in the folder of the checkout.
# $PYTHON wins, then an active virtual environment, then .venv, which is made where it is missing.

if [[ "${PYTHON:-}" == */* && "$PYTHON" != /* ]]; then
  PYTHON="$PWD/$PYTHON"
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z "${PYTHON:-}" && -n "${VIRTUAL_ENV:-}" ]]; then
  PYTHON="$VIRTUAL_ENV/bin/python"
fi
if [[ -z "${PYTHON:-}" ]]; then
  if [[ ! -x .venv/bin/python ]]; then
    if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "archsim needs Python 3.11 or newer as python3; or name one: PYTHON=/path/to/python $0" >&2
      exit 2
    fi
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
      echo "python3 has no venv here; on Debian or Ubuntu: apt-get install python3-venv" >&2
      exit 2
    fi
    echo "making .venv" >&2
    python3 -m venv .venv
  fi
  PYTHON="$PWD/.venv/bin/python"
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1

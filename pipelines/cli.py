"""The `hubel` command's entry point: everything that can fail or be interrupted happens inside `main`."""

import sys


def main() -> None:
    """Parse, call, print, and exit with the code of the outcome."""
    try:
        from pipelines import commands

        code = commands.run(sys.argv[1:])
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()

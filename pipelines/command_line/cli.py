"""The `hubel` command's entry point: everything that can fail or be interrupted happens inside `main`."""

import sys

from pipelines.command_line.wanted import wants_json


def _again() -> str:
    """What the same command does once more, where anything of it is kept."""
    options = sys.modules.get("pipelines.command_line.options")  # not there, or not yet whole, where it was still being imported
    return options.state.again if hasattr(options, "state") else ""


def main() -> None:
    """Parse, call, print, and exit with the code of the outcome."""
    try:
        from pipelines.command_line import commands

        code = commands.run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
        hint = _again()
        if wants_json(sys.argv[1:]):
            import json

            print(json.dumps({"error": {"message": "Stopped.", "hint": hint, "exit_code": code}}))
        else:
            print(f"Stopped. {hint}".strip(), file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()

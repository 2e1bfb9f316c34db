"""One target under atheris: `python -m fuzz.instrumented TARGET [options of libFuzzer] [folders]`."""

import shlex
import sys


def main(name: str, *options: str) -> None:
    """Fuzz one target until libFuzzer has done what its options ask for; it ends the process itself."""
    import atheris

    with atheris.instrument_imports(include=["wslab"]):
        from fuzz.targets import TARGETS

    # With -merge, libFuzzer hands its first argument to a shell, to start itself once more.
    myself = shlex.join([sys.executable, "-m", "fuzz.instrumented", name])
    atheris.Setup([myself, *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])

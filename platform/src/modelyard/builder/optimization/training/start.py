"""Where the torch environment enters: `python -I start.py VERB ...`, as `programs.job` describes.

Only the folder `programs` is meant to be found from here; its Python has no Modelyard, and must not get ours.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parent))
    from programs.job import main  # type: ignore[import-not-found]

    sys.exit(main(sys.argv[1:]))

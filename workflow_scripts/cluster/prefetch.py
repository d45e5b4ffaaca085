"""Bring published models into the cache of the Hugging Face hub, from where machines without internet load them.

    python -m workflow_scripts.cluster.prefetch --models google-bert/bert-base-multilingual-cased NAME@REVISION …

`snakemake --cores 1 prefetch` calls it with the models that the configuration names, when public files are fetched and
paid services have answered.  The cache is where $HF_HOME says, by default ~/.cache/huggingface; nodes have to see it.
What is there already is not fetched again.  A model that is given only to those who accept its terms wants a token.
"""

import sys
from collections.abc import Sequence

from huggingface_hub import HfApi, get_token, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from workflow_scripts.cli import InputError, parser, run

# What transformers reads; weights in the forms of other libraries are as large again.
SMALL = ("*.json", "*.txt", "*.model", "*.jinja")
WEIGHTS = (("*.safetensors",), ("pytorch_model*.bin",))


def split(model: str) -> tuple[str, str | None]:
    """NAME or NAME@REVISION -> name, revision."""
    name, _, revision = model.partition("@")
    return name, revision or None


def fetch(model: str) -> str:
    """Bring a model (NAME or NAME@REVISION) into the cache; the folder there.  Raises InputError where it fails."""
    name, revision = split(model)
    try:
        files = HfApi().list_repo_files(name, revision=revision)
        weights = next(
            (forms for forms in WEIGHTS if any(file.endswith(forms[0][-4:]) for file in files)), ()
        )
        folder = snapshot_download(name, revision=revision, allow_patterns=[*SMALL, *weights])
    except GatedRepoError:
        raise InputError(gated(name, get_token() is not None)) from None
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        what = f"no revision {revision}" if isinstance(error, RevisionNotFoundError) else "no such model"
        raise InputError(
            f"model {model}: {what} on the hub, or a private one; check its name, or set HF_TOKEN to a token of someone"
            " who may read it"
        ) from None
    except (HTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"model {model}: the hub was not reached ({reason}); try again from a machine with internet"
        ) from None
    if not weights:
        raise InputError(
            f"model {model}: no weights in a form that can be read (safetensors, pytorch_model.bin)"
        )
    return folder


def gated(name: str, token: bool) -> str:
    """What to do for a model whose authors ask for consent first; token: whether one is set."""
    accept = f"open https://huggingface.co/{name} and click on 'Agree and access repository'"
    if token:
        return (
            f"model {name}: gated, and the token that is set has no access: {accept} with the account that the token is"
            " of, and let the token read public gated repositories (https://huggingface.co/settings/tokens)"
        )
    return (
        f"model {name}: gated: {accept}, make a token on https://huggingface.co/settings/tokens, and set the variable"
        " HF_TOKEN to it"
    )


def absent(models: Sequence[str]) -> list[str]:
    """Those of some models of which the cache has not even the configuration."""
    return [
        model
        for model in models
        if not isinstance(
            try_to_load_from_cache(split(model)[0], "config.json", revision=split(model)[1]), str
        )
    ]


def main() -> None:
    """The command line."""
    arguments = parser(__doc__)
    arguments.add_argument("--models", nargs="*", default=[], metavar="NAME[@REVISION]", help="on the hub")
    failed = []
    for model in (models := arguments.parse_args().models):
        try:
            print(f"{model}: {fetch(model)}", file=sys.stderr, flush=True)
        except InputError as error:  # the others may be had
            failed.append(str(error))
    if failed:
        raise InputError("; ".join(failed))
    print(f"{len(models)} models are in the cache", file=sys.stderr)


if __name__ == "__main__":
    run(main)

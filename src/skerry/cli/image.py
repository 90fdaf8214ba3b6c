"""`skerry image`: container images of the instance, without a registry.

Images are built by buildah, whose storage lives in the data directory, and handed to containerd as archives.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from skerry.cli.buildah import Buildah, BuildRequest
from skerry.cli.containerd import Containerd
from skerry.cli.errors import CommandFailed
from skerry.cli.instance_files import InstanceFiles, need_running
from skerry.cli.listed_images import wait_until_listed
from skerry.cli.options import data_dir_option, output_option
from skerry.cli.printing import print_document, table
from skerry.cli.recipe import Recipe, read_recipe
from skerry.cli.recipe_contents import gather
from skerry.kube.image_names import base_images, full_name, short_name

_EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_EXISTING_DIR = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Load, build, list and remove container images.

    \b
    Examples:
      skerry image build -t hello:1 examples/01-hello
      skerry image ls
    """


@command.command()
@data_dir_option
@click.argument("archive", type=_EXISTING_FILE)
@click.option("--name", help="The image's name, if the archive has none or another is wanted.")
def load(data_dir: Path, archive: Path, name: str | None) -> None:
    """Load images from an archive (of `docker save`, `buildah push`, `skopeo copy`; gzip is fine).

    \b
    Examples:
      skerry image load app.tar
      skerry image load app.tar.gz --name registry.example/team/app:1.2
    """
    for loaded in load_archive(need_running(data_dir), archive, name):
        click.echo(f"loaded {short_name(loaded)}")


@command.command()
@data_dir_option
@click.argument("context", type=_EXISTING_DIR)
@click.option("-t", "--tag", help="The image's name. [what recipe.toml says]")
@click.option("-f", "--file", "dockerfile", type=_EXISTING_FILE, help="The Dockerfile. [CONTEXT/Dockerfile]")
@click.option("--build-arg", "arguments", multiple=True, metavar="KEY=VALUE", help="An argument of the Dockerfile.")
@click.option(
    "--build-context",
    "contexts",
    multiple=True,
    metavar="NAME=DIR",
    help="A directory for the Dockerfile's COPY --from=NAME.",
)
def build(data_dir: Path, context: Path, tag: str | None, dockerfile: Path | None, **more: tuple[str, ...]) -> None:
    """Build an image from a Dockerfile and load it.

    FROM finds images already loaded here before it asks a registry. With a recipe.toml beside the Dockerfile the
    packages that it names are fetched first.

    \b
    Examples:
      skerry image build -t app:1 .
      skerry image build -t hello:1 --build-context programs=/usr/bin examples/01-hello
      skerry image build images/jupyterlab
    """
    files = need_running(data_dir)
    recipe = _recipe(context)
    name = tag or (recipe.name if recipe else "")
    if not name:
        raise click.UsageError("the image needs a name: --tag, or a recipe.toml beside the Dockerfile")
    request = BuildRequest(_checked(name), context, dockerfile or context / "Dockerfile", **more)
    if not request.dockerfile.is_file():
        raise CommandFailed(f"there is no {request.dockerfile}")
    containerd = Containerd(files)
    with tempfile.TemporaryDirectory(prefix="skerry-build-", dir=files.data_dir) as scratch:
        buildah = Buildah(files.data_dir / "build", Path(scratch))
        _lend_base_images(containerd, buildah, request.dockerfile.read_text(), Path(scratch))
        if recipe is not None:
            request = _gathered(request, recipe, Path(scratch) / "context")
        buildah.build(request)
        load_archive(files, buildah.archive(request.name))
    click.echo(f"built {short_name(request.name)}")


@command.command("ls")
@data_dir_option
@output_option
def list_images(data_dir: Path, output: str) -> None:
    """List images.

    \b
    Example:
      skerry image ls -o json
    """
    images = Containerd(need_running(data_dir)).images()
    if output == "table":
        rows = [(short_name(one.name), one.digest.removeprefix("sha256:")[:12], one.size) for one in images]
        click.echo(table(("NAME", "DIGEST", "SIZE"), rows))
    else:
        print_document([{"name": one.name, "digest": one.digest, "size": one.size} for one in images], output)


@command.command("rm")
@data_dir_option
@click.argument("names", nargs=-1, required=True)
def remove(data_dir: Path, names: tuple[str, ...]) -> None:
    """Remove images by name. Containers already running keep what they have.

    \b
    Example:
      skerry image rm hello:1
    """
    containerd = Containerd(need_running(data_dir))
    wanted = [_checked(name) for name in names]
    unknown = set(wanted) - {image.name for image in containerd.images()}
    if unknown:
        raise CommandFailed(f"no image named {', '.join(sorted(map(short_name, unknown)))}")
    containerd.remove(wanted)
    for name in wanted:
        click.echo(f"removed {short_name(name)}")


def load_archive(files: InstanceFiles, archive: Path, name: str | None = None) -> list[str]:
    """Load, usable by pods and told of by the node when this returns; returns the full names. Raises CommandFailed."""
    containerd = Containerd(files)
    wanted = _checked(name) if name else ""
    with tempfile.TemporaryDirectory(prefix="skerry-load-") as scratch:
        names = containerd.load(_plain(archive, Path(scratch)), wanted)
    if not names:
        raise CommandFailed(f"the image in {archive.name} has no full name: give it one with --name")
    containerd.wait_until_usable(names)
    wait_until_listed(files.kubeconfig, names)
    return names


def _plain(archive: Path, scratch: Path) -> Path:
    """The archive itself, or a copy of it without gzip's compression."""
    with archive.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return archive
    plain = scratch / "image.tar"
    try:
        with gzip.open(archive) as packed, plain.open("wb") as file:
            shutil.copyfileobj(packed, file)
    except (OSError, EOFError) as error:
        raise CommandFailed(f"{archive.name} is a damaged gzip file: {error}") from None
    return plain


def _checked(name: str) -> str:
    try:
        return full_name(name)
    except ValueError as error:
        raise CommandFailed(str(error)) from None


def _recipe(context: Path) -> Recipe | None:
    try:
        return read_recipe(context)
    except ValueError as error:
        raise CommandFailed(str(error)) from None


def _gathered(request: BuildRequest, recipe: Recipe, context: Path) -> BuildRequest:
    """The request with what the recipe is made of as its context."""
    gather(recipe, context)
    return replace(request, context=context, contexts=(*recipe.contexts, *request.contexts))


def _lend_base_images(containerd: Containerd, buildah: Buildah, dockerfile: str, scratch: Path) -> None:
    """Give buildah those images the Dockerfile starts from that are loaded here."""
    try:
        wanted = base_images(dockerfile)
    except ValueError as error:
        raise CommandFailed(f"the Dockerfile starts from {error}") from None
    loaded = {image.name for image in containerd.images()} if wanted else set()
    for number, name in enumerate(one for one in wanted if one in loaded):
        archive = scratch / f"base-{number}.tar"
        containerd.export(archive, name)
        buildah.take(archive, name)

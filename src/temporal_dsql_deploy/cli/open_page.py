"""`dsql-deploy open ENV PAGE`."""

import os
import webbrowser
from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal

EXAMPLE = "dsql-deploy open local ui"


def open_page(
    environment: options.EnvironmentName = "local",
    page: Annotated[
        str, typer.Argument(metavar="PAGE", help="The page: `ui`, `metrics`, `metrics-history-1`.")
    ] = "ui",
    browser: Annotated[bool, typer.Option(help="Start a browser, or only print the URL.")] = True,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Print the URL of a page of the cluster, and show it in a browser where there is one."""
    _, platform = options.choose(environment, file, data_dir)
    pages = platform.pages()
    url = pages[options.one_of("page", page, pages)]
    shown = browser and _show(url)
    if as_json:
        from temporal_dsql_deploy.platforms.protocol import Page

        terminal.result(Page(environment=environment, name=page, url=url, shown=shown))
    else:
        terminal.text(url)


def _show(url: str) -> bool:
    # What a browser says does not belong between our results.
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        # The URL on stdout is the result all the same.
        return False
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)

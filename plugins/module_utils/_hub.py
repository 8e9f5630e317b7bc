# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where weights come from: the hubs, their names and their refusals in words. Pure functions, no I/O."""

from __future__ import annotations

import fnmatch
import typing as t
import urllib.parse


class SourceError(Exception):
    """The source cannot give what was asked for; the message says what was found and what to do."""


class Hub(t.NamedTuple):
    title: str
    endpoint: str
    revision: str
    package: str


HUBS = {
    "modelscope": Hub("ModelScope", "https://www.modelscope.cn", "master", "modelscope"),
    "modelers": Hub("Modelers", "https://modelers.cn", "main", "openmind_hub"),
    "huggingface": Hub("Hugging Face", "https://huggingface.co", "main", "huggingface_hub"),
}
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar.bz2", ".zip")


def wanted(path: str, include: t.Sequence[str], exclude: t.Sequence[str]) -> bool:
    """Tell whether the patterns take a file; a pattern for a folder takes what is in it, as with the hubs' clients."""
    def any_of(patterns: t.Sequence[str]) -> bool:
        return any(fnmatch.fnmatchcase(path, f"{pattern}*" if pattern.endswith("/") else pattern) for pattern in patterns)

    return (not include or any_of(include)) and not any_of(exclude)


def environment(source: str, path: str, endpoint: str) -> dict[str, str]:
    """The variables by which the client of a hub is told where to go, and to keep its caches on the disk that has the space."""
    cache = f"{path}/.cache"
    if source == "modelscope":
        return {"MODELSCOPE_CACHE": f"{cache}/modelscope", **({"MODELSCOPE_ENDPOINT": endpoint} if endpoint else {})}
    if source == "modelers":
        # Everything outside of /tmp and the home directory is refused unless it is listed.
        return {"XDG_CACHE_HOME": cache, "HUB_WHITE_LIST_PATHS": path, **({"OPENMIND_HUB_ENDPOINT": endpoint} if endpoint else {})}
    # A mirror serves files, not the storage protocol of the original.
    return {"HF_HOME": f"{cache}/huggingface", **({"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1"} if endpoint else {})}


def explain(source: str, where: str, what: str, status: int | None, text: str, token: bool, unreachable: bool = False) -> str:
    """One message for what a server or the client of a hub says."""
    title = HUBS[source].title if source in HUBS else "The server"
    # Clients put several lines, request numbers and advice of their own.
    said = " ".join(text.split())[:300]
    if unreachable:
        advice = (
            "Set weights_environment to a proxy (HTTPS_PROXY), weights_hub_endpoint to a mirror, "
            "or download elsewhere and use weights_source: local." if source in HUBS else "Correct weights_source_url, or set weights_environment to a proxy."
        )
        return f"{title} at {where} cannot be reached from this host: {said}. {advice}"
    if status in (401, 403):
        advice = "Set weights_hub_token to a valid token that may read it, best in a vault." if token or source in HUBS else "Set weights_url_headers."
        found = "refuses the token for" if token else "gives no access without a token to"
        return f"{title} at {where} {found} {what} (HTTP {status}): {said}. {advice}"
    if status == 404 and source not in HUBS:
        return f"There is no {where} on the server (HTTP 404): {said}. Correct weights_source_url or weights_source_files."
    if status == 404:
        return f"{title} at {where} has no {what} (HTTP 404): {said}. Correct name or revision; a private repository needs weights_hub_token."
    return f"{title} at {where} could not give {what}: {said}"


def file_url(base: str, path: str) -> str:
    """The URL of a file below a folder; a query such as a signature stays at the end."""
    parts = urllib.parse.urlsplit(base)
    return urllib.parse.urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{urllib.parse.quote(path)}"))


def is_archive(location: str) -> bool:
    return urllib.parse.urlsplit(location).path.endswith(ARCHIVES)


def shown_url(url: str) -> str:
    """A URL without password and query, which may hold a signature."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))

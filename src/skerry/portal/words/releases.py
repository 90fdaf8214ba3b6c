"""How an app is, in a word and a sentence. Pure: from the Release alone."""

from __future__ import annotations

from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.records import record
from skerry.portal.web.language import N_
from skerry.portal.words.said import Tone

_PHASES: dict[str, tuple[str, Tone]] = {
    "Pending": (N_("Being looked at"), "busy"),
    "Installing": (N_("Being launched"), "busy"),
    "Upgrading": (N_("Being changed"), "busy"),
    "RollingBack": (N_("Going back"), "busy"),
    "Deployed": (N_("Running"), "good"),
    "Failed": (N_("Failed"), "bad"),
    "Stopped": (N_("Stopped"), "quiet"),
    "Suspended": (N_("Left alone"), "quiet"),
    "Uninstalling": (N_("Being removed"), "busy"),
}


@record
class How:
    """`word`: translated where it is shown; `message`: the cluster's own words, about what is to be done; `url`: where
    it is opened, only what a browser opens as a page."""

    word: str
    tone: Tone
    message: str = ""
    url: str = ""


def release_how(release: Obj) -> How:
    """The state of an app."""
    status, url = release.get("status") or {}, address_of(release)
    if is_deleting(release):
        return How(*_PHASES["Uninstalling"], status.get("step", ""), url)
    word, tone = _PHASES.get(status.get("phase", "Pending"), _PHASES["Pending"])
    ready = condition_of(release, "Ready")
    message = str((ready or {}).get("message", "")) if (ready or {}).get("status") == "False" else ""
    if tone == "good" and message:
        return How(N_("Not ready"), "busy", message, url)
    return How(word, tone, status.get("step") or message if tone == "busy" else message, url)


def address_of(release: Obj) -> str:
    """Where it is opened; "" for nowhere, and for what a browser would not open as a page."""
    url = (release.get("status") or {}).get("url")
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""

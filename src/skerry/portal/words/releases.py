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
    """`word`: translated where it is shown; `message`: the cluster's own words, about what is to be done."""

    word: str
    tone: Tone
    message: str = ""


def release_how(release: Obj) -> How:
    """The state of an app."""
    status = release.get("status") or {}
    if is_deleting(release):
        return How(*_PHASES["Uninstalling"], status.get("step", ""))
    word, tone = _PHASES.get(status.get("phase", "Pending"), _PHASES["Pending"])
    ready = condition_of(release, "Ready")
    message = str((ready or {}).get("message", "")) if (ready or {}).get("status") == "False" else ""
    if tone == "good" and message:
        return How(N_("Not ready"), "busy", message)
    return How(word, tone, status.get("step") or message if tone == "busy" else message)

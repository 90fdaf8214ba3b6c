"""Why a container waits or ended, by Kubernetes' reason: one table for pods and their events.

Source: kubelet `images`, `kuberuntime` and `ContainerStateWaiting` reasons.
"""

from __future__ import annotations

from skerry.portal.web.language import N_

_NO_IMAGE = (
    N_("The image %(image)s could not be fetched."),
    N_("Check its name and version. If it is a private one, ask the project's owner for its access to be added."),
)
WAITING: dict[str, tuple[str, str]] = {
    "ContainerCreating": (N_("Its files and network are being prepared."), ""),
    "PodInitializing": (N_("Its preparations are running."), ""),
    "ErrImagePull": _NO_IMAGE,
    "ImagePullBackOff": _NO_IMAGE,
    "ErrImageNeverPull": (
        N_("The image %(image)s is not on this machine and may not be fetched."),
        N_("Ask the operators to load it, or choose another version."),
    ),
    "InvalidImageName": (N_("“%(image)s” is no name of an image."), N_("Correct it in the app's values.")),
    "CreateContainerConfigError": (
        N_("Something that it is started with is missing."),
        N_("The events below say which Secret or ConfigMap; check the app's values."),
    ),
    "CreateContainerError": (
        N_("It could not be made."),
        N_("The events below say why; check its command and its volumes."),
    ),
    "RunContainerError": (N_("It could not be started."), N_("Check its command: is that program in the image?")),
    "CrashLoopBackOff": (
        N_("It ends again and again, and is being started again after a while."),
        N_("Its log, also that of the run before, says what it stumbled over."),
    ),
}
"""What a container waits for, and what to do."""

OUT_OF_MEMORY, SIGNALLED = "OOMKilled", 128
ENDED_FOR_MEMORY = (
    N_("It was ended because it used more memory than its limit."),
    N_("Give it more memory in the app's values, or make it need less."),
)
ENDED_NOT_FOUND = (
    N_("The program it should run is not in the image, or may not be run."),
    N_("Check the command in the app's values."),
)
NOT_FOUND_CODES = (126, 127)

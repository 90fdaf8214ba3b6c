"""How JupyterLab runs in a pod.

Who may come in: whoever has JUPYTER_TOKEN. With SIGN_IN=platform everybody who reaches it, since the platform's single
sign-on stands in front; the chart says so only where that is so. Without either a token is made up, and logged.
"""

import os

c = get_config()  # noqa: F821  (Jupyter runs this file with it)
c.ServerApp.ip = "0.0.0.0"
c.ServerApp.port = 8888
c.ServerApp.open_browser = False
c.ServerApp.root_dir = os.environ["HOME"]
c.ServerApp.allow_remote_access = True
c.ServerApp.trust_xheaders = True
c.ServerApp.quit_button = False
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash", "-l"]}
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
# a kernel that somebody forgot holds memory which others in the project could have
c.MappingKernelManager.cull_idle_timeout = int(os.environ.get("CULL_MINUTES", "0")) * 60
if os.environ.get("SIGN_IN") == "platform":
    c.IdentityProvider.token = ""

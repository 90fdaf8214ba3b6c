#!/bin/bash
# The screen, what is on it, and the way to it. Ends when one of them does, so that the pod is started again.
#
# Who may come in: whoever has DESKTOP_PASSWORD. With SIGN_IN=platform everybody who reaches it, since the platform's single
# sign-on stands in front. The screen itself listens within the pod only.
set -euo pipefail
mkdir -p -m 0700 "$XDG_RUNTIME_DIR" "$XDG_CACHE_HOME"
if [ "${SIGN_IN:-}" = platform ]; then
  security=(-SecurityTypes None)
else
  # the protocol takes eight characters, and no more
  printf '%s' "${DESKTOP_PASSWORD:?is not set, and neither is SIGN_IN=platform}" | tigervncpasswd -f >"$XDG_RUNTIME_DIR/password"
  security=(-SecurityTypes VncAuth -PasswordFile "$XDG_RUNTIME_DIR/password")
fi
unset DESKTOP_PASSWORD
Xtigervnc :1 -localhost -rfbport 5901 -nolisten tcp -geometry "$GEOMETRY" -depth 24 -AlwaysShared "${security[@]}" &
export DISPLAY=:1
until [ -S /tmp/.X11-unix/X1 ]; do sleep 0.05; done
cd "$HOME"
icewm-session &
python3 -m websockify --web /usr/share/novnc 6080 127.0.0.1:5901 &
wait -n

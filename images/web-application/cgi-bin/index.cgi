#!/bin/busybox sh
printf 'Content-Type: text/html; charset=utf-8\r\n\r\n'
/bin/busybox cat <<PAGE
<!doctype html>
<html lang="en">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hello from Skerry</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 1.2rem/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 32rem; padding: 0 1rem; }
  code { background: #e4eef2; color: #12333d; padding: .1em .3em; border-radius: .2em; }
</style>
<h1>Hello from Skerry</h1>
<p>Pod <code>$(/bin/busybox hostname)</code> answered. Reload: the next one may be another.</p>
<p>Your own image takes this page's place as the value <code>image</code> of the release.</p>
</html>
PAGE

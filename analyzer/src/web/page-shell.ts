/**
 * The page before it is signed in: nothing of any project. Its script reads the key from the link's fragment, which no server,
 * proxy or log ever sees, and asks for the content with it. Without scripts there is no way to send a fragment, so it says so.
 */
export function renderShell(): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>LoopKit dashboard</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/dashboard/dashboard.css">
<script src="/dashboard/dashboard.js" type="module"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="brand">LoopKit</p>
<button type="button" id="refresh" hidden>Refresh</button>
</header>
<main id="main" tabindex="-1">
<noscript><p>This page signs in with a key from its own link, which takes a little JavaScript. Without it, read
<code>GET /v1/reports/latest.md</code> with an agent key.</p></noscript>
<p id="status" role="status" aria-live="polite"></p>
<section id="signin" aria-labelledby="signin-title" hidden>
<h1 id="signin-title">Sign in</h1>
<p>Open the dashboard link that was shown when the project was made, or paste its key here. It stays in this browser’s
address bar and goes to no one but this server.</p>
<form id="signin-form">
<label for="key">Dashboard key or agent key</label>
<input id="key" name="key" type="password" autocomplete="off" spellcheck="false" required>
<button type="submit">Open the dashboard</button>
</form>
</section>
<div id="content"></div>
</main>
<footer>
<details>
<summary>Lost your key?</summary>
<p>Keys are stored as hashes only: nobody can show one again, but the project’s <strong>recovery code</strong> makes fresh ones.
It was shown once, when the project was made; on a first start without a terminal it lies in <code>first-run.txt</code> in the
data folder.</p>
<pre><code>curl -X POST &lt;this server&gt;/v1/recover \\
  -H 'Content-Type: application/json' \\
  -d '{"project_id":"&lt;project id&gt;","recovery_code":"&lt;recovery code&gt;"}'</code></pre>
<p>The answer holds new keys and a new link to this dashboard. The old keys and the old link stop working at once, everywhere.</p>
</details>
</footer>
</body>
</html>
`
}

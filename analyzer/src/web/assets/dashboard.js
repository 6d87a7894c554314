// Signs in with the key in the link's fragment and shows what the server has rendered. The key goes into one header of requests to
// this server and nowhere else; the fragment stays in the address bar, so the link can be kept as a bookmark.

const byId = (id) => document.getElementById(id)
const status = byId('status')
const signin = byId('signin')
const content = byId('content')
const refresh = byId('refresh')

// The content comes from this server alone, escaped there; the page's policy demands that this be said once, here.
const trusted = globalThis.trustedTypes?.createPolicy('loopkit-dashboard', { createHTML: (html) => html })

const keyInLink = () => new URLSearchParams(location.hash.slice(1)).get('key')
let key = keyInLink()

const REFUSALS = {
  401: 'This link no longer works: its key was revoked or replaced. See “Lost your key?” below.',
  403: 'This key may not read the dashboard, or its sandbox has ended.',
}

function askForKey(message) {
  status.textContent = message
  content.replaceChildren()
  refresh.hidden = true
  signin.hidden = false
}

async function show() {
  if (!key) return askForKey('')
  signin.hidden = true
  status.textContent = 'Loading…'
  let response
  try {
    response = await fetch('/dashboard/content', { headers: { authorization: `Bearer ${key}` }, cache: 'no-store' })
  } catch {
    status.textContent = 'The server does not answer. Try again in a moment.'
    refresh.hidden = false
    return
  }
  if (response.status === 401 || response.status === 403) return askForKey(REFUSALS[response.status])
  refresh.hidden = false
  if (!response.ok) {
    status.textContent = `The server could not answer (${response.status}). Try again in a moment.`
    return
  }
  const html = await response.text()
  content.innerHTML = trusted ? trusted.createHTML(html) : html
  status.textContent = `As of ${new Date().toLocaleTimeString()}`
}

byId('signin-form').addEventListener('submit', (event) => {
  event.preventDefault()
  const given = byId('key').value.trim()
  if (given) location.hash = `key=${encodeURIComponent(given)}`
})
refresh.addEventListener('click', show)
addEventListener('hashchange', () => {
  key = keyInLink()
  show()
})
// A jump to #main would put the key out of the address bar.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault()
  byId('main').focus()
})
show()

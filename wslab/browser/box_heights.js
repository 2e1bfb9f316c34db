// Boxes of consoles in a notebook: each is made as high as the page in it asks for, which its own page cannot do.

const BOXES = "iframe.wslab-console";
const MOST = 1600;  // pixels, whatever a page asks for

function follow({ data, source }) {
  const height = data?.wslabHeight;
  if (!(height > 0)) return;
  for (const box of document.querySelectorAll(BOXES)) {
    if (box.contentWindow === source) box.height = Math.min(Math.ceil(height), MOST);
  }
}

export default {
  initialize() {
    const listening = new AbortController();
    window.addEventListener("message", follow, { signal: listening.signal });
    return () => listening.abort();
  },
};

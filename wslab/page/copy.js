// A text on the clipboard, also where a browser keeps that from a page: by http from another machine.

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    advise("");
  } catch {
    advise(copySelected(text) ? "" : `This browser does not let the page copy. Here it is: ${shorten(text)}`);
  }
}

function copySelected(text) {
  const focused = document.activeElement;
  const box = document.body.appendChild(document.createElement("textarea"));
  box.value = text;
  box.select();
  const isCopied = document.execCommand("copy");
  box.remove();
  focused.focus();
  return isCopied;
}

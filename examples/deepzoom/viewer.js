// The page: asks its own server where the picture is, and hands that address to OpenSeadragon.

const asset = new URLSearchParams(location.search).get("asset") ?? "";
const answer = await fetch(`/picture?asset=${encodeURIComponent(asset)}`);

if (answer.ok) {
  const { url } = await answer.json();
  globalThis.viewer = OpenSeadragon({
    id: "picture",
    prefixUrl: "/openseadragon/images/",
    tileSources: [`${url}/info.json`],
    // The answers may be read by any page, so what is drawn stays readable, too.
    crossOriginPolicy: "Anonymous",
    // The first to look at a picture waits while it is cut into tiles: the hub says 503 meanwhile.
    tileRetryMax: 10,
    tileRetryDelay: 1000,
    showNavigator: true,
    // On a screen that is turned or made smaller it stays a corner of it.
    navigatorMaintainSizeRatio: true,
    maxZoomPixelRatio: 2,
  });
  globalThis.viewer.addHandler("open-failed", ({ message }) => tell(message));
} else {
  tell(await answer.text());
}

function tell(sentence) {
  document.getElementById("why").textContent = sentence;
}

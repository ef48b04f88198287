// The page of a run that goes on: a new version is laid out behind the old one and takes its place when it stands.
const { place, state } = document.body.dataset;
let { version } = document.body.dataset;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const loaded = (frame) => new Promise((done) => frame.addEventListener("load", done, { once: true }));

async function standing(frame) {
  let height = -1;
  for (let i = 0; i < 20; i++) {
    const now = frame.contentDocument.documentElement.scrollHeight;
    if (now === height) return;
    height = now;
    await wait(250);
  }
}

async function replace() {
  const old = document.querySelector("iframe");
  const fresh = document.createElement("iframe");
  fresh.className = "coming";
  fresh.title = old.title;
  const arrival = loaded(fresh);
  fresh.src = place + "/page";
  old.after(fresh);
  await arrival;
  await standing(fresh);
  const before = old.contentDocument.querySelectorAll("details");
  fresh.contentDocument.querySelectorAll("details").forEach((each, i) => { each.open = before[i]?.open ?? each.open; });
  fresh.contentWindow.scrollTo(old.contentWindow.scrollX, old.contentWindow.scrollY);
  fresh.className = "";
  old.remove();
}

async function follow() {
  for (let going = state === "running"; going; ) {
    await wait(3000);
    if (document.hidden) continue;
    const answer = await fetch(place + "/version").catch(() => null);
    if (!answer?.ok) {
      document.getElementById("state").textContent = "no answer: trimtab serve has ended";
      continue;
    }
    const [now, word] = (await answer.text()).split(" ");
    document.getElementById("state").textContent = word;
    if (now !== version) await replace().catch(() => document.querySelector("iframe.coming")?.remove());
    version = now;
    going = word === "running";
  }
}

follow();

"""What must be so of a page in a browser. Each check returns what is wrong, a line each; nothing if all is well."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from chromium import Tab

OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
NAMED = "const named = e => e.tagName.toLowerCase() + (e.id && '#' + e.id) + ' ' + (e.textContent || '').slice(0, 30);"

LANDED = """(() => {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place) return 'there is no such place';
  const box = place.getBoundingClientRect();
  if (!place.checkVisibility()) return 'the place is hidden';
  return box.top > -2 && box.top < innerHeight ? '' : 'the place is not in view';
})()"""

CLICKED = """(async () => {
  const wrong = [];
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    document.querySelectorAll('details').forEach(each => each.open = false);
    history.replaceState(null, '', ' ');
    link.click();
    let said = LANDED;
    for (let tries = 0; said && tries < 30; tries++) {
      await new Promise(done => setTimeout(done, 10));
      said = LANDED;
    }
    if (said) wrong.push(`${link.getAttribute('href')} (${link.textContent.slice(0, 30)}), clicked: ${said}`);
  }
  return wrong;
})()""".replace("LANDED", LANDED)

BEYOND = """(() => { NAMED
  const wrong = [], wide = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth > wide) wrong.push('the page scrolls sideways');
  for (const each of document.body.querySelectorAll('*')) {
    if (!each.checkVisibility() || each.closest('[aria-hidden=true] defs')) continue;
    if (each.closest('.sr, .skip') || getComputedStyle(each).clipPath !== 'none') continue;
    if (each.closest('thead') && getComputedStyle(each.closest('thead')).clipPath !== 'none') continue;
    const box = each.getBoundingClientRect();
    if (box.width && (box.right > wide + 1 || box.left < -1))
      wrong.push(`${named(each)}: from ${box.left.toFixed()} to ${box.right.toFixed()} of ${wide}`);
  }
  return wrong;
})()""".replace("NAMED", NAMED)

CRAMPED = """(() => { NAMED
  const wrong = [], wide = document.documentElement.clientWidth;
  for (const each of document.body.querySelectorAll('*')) {
    const own = [...each.childNodes].filter(node => node.nodeType === 3).map(node => node.data.trim()).join(' ');
    if (own.length < 60 || !each.checkVisibility() || /^(title|desc|script|style)$/.test(each.localName)) continue;
    if (getComputedStyle(each).display === 'inline') continue;
    const box = each.getBoundingClientRect();
    if (box.width > 1 && box.width < wide / 3 && box.height > 2 * box.width)
      wrong.push(`${named(each)}: a column of ${box.width.toFixed()} by ${box.height.toFixed()}`);
  }
  return wrong;
})()""".replace("NAMED", NAMED)

FAINT = """(() => { NAMED
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const known = new Map();
  const colour = said => {
    if (!known.has(said)) {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = said; canvas.fillRect(0, 0, 1, 1);
      known.set(said, [...canvas.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(said);
  };
  const light = ([r, g, b]) => {
    const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const below = each => {
    if (each instanceof SVGElement && each.ownerSVGElement) {
      const box = each.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
      const shapes = [...each.parentNode.querySelectorAll(':scope > rect')].filter(shape => {
        const its = shape.getBoundingClientRect();
        const before = shape.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
        return before && its.left <= x && x <= its.right && its.top <= y && y <= its.bottom;
      });
      for (const shape of shapes.reverse())
        if (getComputedStyle(shape).fill !== 'none') return getComputedStyle(shape).fill;
      each = each.ownerSVGElement;
    }
    for (; each; each = each.parentElement)
      if (colour(getComputedStyle(each).backgroundColor)[3] === 255) return getComputedStyle(each).backgroundColor;
    return 'white';
  };
  const wrong = [];
  for (const each of document.body.querySelectorAll('*')) {
    const own = [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !each.checkVisibility() || /^(title|desc|script|style)$/.test(each.localName)) continue;
    const style = getComputedStyle(each);
    const text = each instanceof SVGElement ? style.fill : style.color, paper = below(each);
    const [one, other] = [light(colour(text)), light(colour(paper))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) wrong.push(`${named(each)} .${each.getAttribute('class')}: ${ratio.toFixed(2)} : 1`);
  }
  return [...new Set(wrong)];
})()""".replace("NAMED", NAMED)

UNREACHED = """(() => { NAMED
  return [...document.querySelectorAll('a[href], summary, button, input')]
    .filter(each => each.checkVisibility() && !window.reached.has(each)).map(named);
})()""".replace("NAMED", NAMED)


def unlanded(tab: Tab, page: Path) -> list[str]:
    """Go to every place that a link names, as a browser does: it exists, and is then open and in view."""
    tab.open(page)
    targets = tab.value("[...new Set([...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href')))]")
    wrong = [f"{each} leads out of the page" for each in targets if not each.startswith("#")]
    for each in targets:
        if each.startswith("#"):
            tab.open(page, each[1:])
            if said := tab.value(LANDED):
                wrong.append(f"{each}: {said}")
    return wrong


def unclicked(tab: Tab, page: Path) -> list[str]:
    """Click every link, each with all else closed: what it leads to is then open and in view."""
    tab.open(page)
    return list(tab.value(CLICKED))


def overflowing(tab: Tab, page: Path, width: int) -> list[str]:
    """Return the elements that stand beyond a viewport of this width, with all details open."""
    tab.resize(width)
    tab.open(page)
    tab.value(OPEN_ALL)
    return list(tab.value(BEYOND))


def cramped(tab: Tab, page: Path, width: int) -> list[str]:
    """Return the long texts that stand in a narrow column of a viewport of this width, with all details open."""
    tab.resize(width)
    tab.open(page)
    tab.value(OPEN_ALL)
    return list(tab.value(CRAMPED))


def complaints(tab: Tab, page: Path) -> list[str]:
    """Return what the browser writes on its console while the page is loaded, opened and resized."""
    _used(tab, page)
    said = [f"{each['type']}: {each['args']}" for each in tab.heard("Runtime.consoleAPICalled")]
    said += [f"exception: {each['exceptionDetails']['text']}" for each in tab.heard("Runtime.exceptionThrown")]
    return said + [f"{each['entry']['level']}: {each['entry']['text']}" for each in tab.heard("Log.entryAdded")]


def requests(tab: Tab, page: Path) -> list[str]:
    """Return what the browser asks for beside the page itself, while the page is loaded, opened and resized."""
    _used(tab, page)
    asked = [each["request"]["url"] for each in tab.heard("Network.requestWillBeSent")]
    return [url for url in asked if url.partition("#")[0] != page.as_uri()]


def _used(tab: Tab, page: Path) -> None:
    tab.forget()
    tab.open(page)
    tab.value(OPEN_ALL)
    tab.resize(360)
    tab.dark(True)
    tab.value("new Promise(done => setTimeout(done, 100))")


def elements(tab: Tab, page: Path) -> dict[str, int]:
    """Return how many elements of each name a page has, and how many attributes that run code."""
    tab.open(page)
    counted = tab.value("""(() => {
      const counts = {};
      for (const each of document.querySelectorAll('*')) {
        counts[each.localName] = (counts[each.localName] || 0) + 1;
        for (const {name, value} of each.attributes)
          if (/^on/.test(name) || /^\\s*javascript:/.test(value)) counts[name] = (counts[name] || 0) + 1;
      }
      return counts;
    })()""")
    return dict(counted)


def unreached(tab: Tab, page: Path) -> list[str]:
    """Press Tab through the page with all details open; return what is never in focus, or shows no sign that it is."""
    tab.open(page)
    tab.value(f"{OPEN_ALL}; window.reached = new Set(); window.unseen = []")
    count = tab.value("document.querySelectorAll('a[href], summary, button, input').length")
    for _ in range(count + 2):
        tab.press_tab()
        tab.value("""(() => {
          const each = document.activeElement, style = getComputedStyle(each);
          if (each === document.body) return;
          if (window.reached.has(each)) return;
          window.reached.add(each);
          const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
          if (!seen) window.unseen.push('no outline: ' + each.outerHTML.slice(0, 80));
        })()""")
    return list(tab.value(UNREACHED)) + list(tab.value("window.unseen"))


def faint(tab: Tab, page: Path, *, dark: bool) -> list[str]:
    """Return the texts whose contrast to what is behind them is below 4.5 : 1."""
    tab.dark(dark)
    tab.open(page)
    tab.value(OPEN_ALL)
    return list(tab.value(FAINT))


def pages(tab: Tab, page: Path) -> int:
    """Return how many sheets of A4 the page takes, as it is loaded."""
    tab.open(page)
    return len(re.findall(rb"/Type\s*/Page\b", tab.pdf()))


def blank(png: bytes) -> bool:
    """Return whether a picture shows next to nothing: few of its rows differ from each other."""
    width = int.from_bytes(png[16:20], "big")
    data, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += 12 + length
    raw, colours = zlib.decompress(data), {2: 3, 6: 4}[png[25]]
    stride = width * colours + 1
    return len({raw[start + 1 : start + stride] for start in range(0, len(raw), stride)}) < 50

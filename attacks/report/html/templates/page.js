(function () {
  var d = document, q = d.getElementById("q"), all = d.getElementById("all"), cells = [].slice.call(d.querySelectorAll("details.cell"));
  function go() {
    var to = location.hash && d.getElementById(decodeURIComponent(location.hash.slice(1))), box = to && to.closest("details");
    for (; box; box = box.parentElement.closest("details")) box.open = true;
    if (to) to.scrollIntoView();
  }
  addEventListener("hashchange", go);
  go();
  if (!q) return;
  d.querySelector(".tools").hidden = false;
  q.oninput = function () {
    var words = q.value.toLowerCase().split(/\s+/);
    cells.forEach(function (c) {
      var text = c.querySelector(".who").textContent.toLowerCase();
      c.hidden = !words.every(function (w) { return text.indexOf(w) >= 0; });
    });
  };
  all.onclick = function () {
    var open = cells.some(function (c) { return !c.hidden && !c.open; });
    cells.forEach(function (c) { if (!c.hidden) c.open = open; });
  };
})();

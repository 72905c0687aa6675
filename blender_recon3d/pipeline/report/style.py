"""The page's style sheet: light and dark, on screen and on paper."""

CSS = """
:root { color-scheme: light dark; --page: #f4f5f7; --card: #ffffff; --line: #dfe3e8; --text: #1c2128;
  --soft: #5d6774; --accent: #2463c4; --good: #1b7f4d; --fair: #a86400; --bad: #c2352b; --off: #8a929d; }
@media (prefers-color-scheme: dark) { :root { --page: #0e1115; --card: #171b21; --line: #2a313a; --text: #e4e8ed;
  --soft: #97a1ae; --accent: #73a9ff; --good: #4cc28a; --fair: #eeb14f; --bad: #ff7d70; --off: #77808c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 0 0 14px; }
h3 { font-size: 15px; margin: 18px 0 8px; }
.sub { color: var(--soft); margin: 6px 0 0; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px 22px;
  margin-top: 20px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 22px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tile b { display: block; font-size: 24px; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.wide { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.bar { display: inline-block; height: 8px; border-radius: 4px; background: var(--accent); min-width: 2px; }
td.share { width: 22%; white-space: nowrap; }
.state { white-space: nowrap; }
.state::before { content: ""; display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 6px;
  background: var(--soft); }
.state.good::before { background: var(--good); } .state.fair::before { background: var(--fair); }
.state.bad::before { background: var(--bad); } .state.off::before { background: var(--off); }
ul.problems { list-style: none; margin: 0; padding: 0; }
ul.problems li { padding: 8px 0 8px 14px; border-left: 3px solid var(--fair); margin: 8px 0; overflow-wrap: anywhere; }
ul.problems li.error { border-color: var(--bad); }
ul.problems em { font-style: normal; color: var(--soft); font-size: 13px; margin-right: 8px; }
.fine { color: var(--good); margin: 0; }
svg, img { display: block; max-width: 100%; height: auto; }
.map { width: 100%; border-radius: 8px; }
.map .cameras path { fill: #4f9bff; fill-opacity: .22; stroke: #9cc8ff; stroke-width: 1.2; stroke-linejoin: round; }
.map .cameras path:hover { fill-opacity: .8; }
.map .scale path { fill: none; stroke: #c6ccd4; stroke-width: 1.5; }
.map .scale text { fill: #c6ccd4; font-size: 13px; }
.two { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 28px; align-items: center; }
@media (max-width: 800px) { .two { grid-template-columns: minmax(0, 1fr); } }
.graph { width: 100%; max-width: 640px; margin: 0 auto; }
.graph .chords path { fill: none; stroke: var(--accent); }
.graph text { fill: var(--soft); font-size: 10.5px; }
.graph circle { fill: var(--soft); stroke: var(--card); stroke-width: 1; }
.graph circle.good { fill: var(--good); } .graph circle.fair { fill: var(--fair); }
.graph circle.bad { fill: var(--bad); } .graph circle.off { fill: var(--off); }
figure { margin: 0; }
figcaption { font-size: 13px; color: var(--soft); margin-top: 6px; overflow-wrap: anywhere; }
.matches figure + figure, .maps figure + figure { margin-top: 22px; }
.matches img { border-radius: 8px; }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: 16px 14px; }
.photos.many { grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); gap: 10px 8px; }
.photos .frame { aspect-ratio: 4 / 3; background: var(--page); border-radius: 6px; overflow: hidden; display: flex;
  align-items: center; justify-content: center; color: var(--soft); font-size: 12px; }
.photos img { width: 100%; height: 100%; object-fit: contain; }
.photos b { display: block; font-weight: 600; color: var(--text); }
.photos .off img, .photos .bad img { opacity: .55; }
.photos.many figcaption { font-size: 11px; }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--accent); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { background: #fff; } section, .tile { break-inside: avoid; } details > * { display: block; } }
"""

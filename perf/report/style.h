// The style sheet of reports.
#pragma once

#include <string_view>

namespace warmswap::report {

/// The colours of series are based on Okabe & Ito's set for all kinds of colour vision ("Color Universal Design",
/// 2008), darkened on white and lightened on black to a contrast of 3:1 or more (WCAG 2.1, 1.4.11). In print the light
/// ones are used.
inline constexpr std::string_view kStyleSheet = R"css(
:root {
  color-scheme: light dark;
  --page: #ffffff; --card: #f6f7f9; --text: #1c2128; --dim: #59616c; --hair: #dde1e6; --faint: #eef0f3; --axis: #8a929c;
  --ok: #0a6b3d; --ok-bg: #e0f4e8; --warn: #7a5200; --warn-bg: #fdf0cf; --fail: #a8232b; --fail-bg: #fde5e5;
  --c0: #0869ad; --c1: #c94f06; --c2: #00805f; --c3: #a8428b; --c4: #a87400; --c5: #3a93c9; --c6: #69707a; --c7: #7b3420;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --card: #1d2126; --text: #e4e7eb; --dim: #a0a8b2; --hair: #343a42; --faint: #23282e; --axis: #737c87;
    --ok: #63d69a; --ok-bg: #12321f; --warn: #f0c35a; --warn-bg: #3a2e0d; --fail: #ff8a8a; --fail-bg: #431a1d;
    --c0: #58aef0; --c1: #ff8f4f; --c2: #33c79b; --c3: #e48bc7; --c4: #e3b341; --c5: #a3dcff; --c6: #a6adb7; --c7: #d18a74;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 3rem; max-width: 54rem; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.01em; font-weight: 650; }
h2 { margin: 3rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--hair); font-size: 1.25rem; line-height: 1.35;
  font-weight: 620; }
p { margin: .5rem 0 1rem; max-width: 44rem; }
a { color: var(--c0); }
.subtitle { margin: .4rem 0 0; color: var(--dim); }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--hair); color: var(--dim); font-size: .85rem; }

.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .75rem; margin: 1.75rem 0 0; }
.fact { padding: .8rem 1rem .85rem; background: var(--card); border-radius: 8px; border-left: 3px solid var(--hair); }
.fact.ok { border-left-color: var(--ok); }
.fact.warn { border-left-color: var(--warn); }
.fact.fail { border-left-color: var(--fail); }
.fact dt { color: var(--dim); font-size: .85rem; }
.fact dd { margin: 0; }
.fact .value { font-size: 1.5rem; line-height: 1.3; font-weight: 620; font-variant-numeric: tabular-nums; }
.fact .note { color: var(--dim); font-size: .8rem; line-height: 1.4; }
.fact .pill { margin: .4rem 0 0; }

.pill { display: inline-block; padding: .1em .65em .12em; border-radius: 1em; background: var(--faint); color: var(--dim);
  font-size: .78rem; line-height: 1.5; font-weight: 560; letter-spacing: 0; vertical-align: .12em; }
.pill b { margin-right: .35em; }
.pill.none b { display: none; }
.pill.ok { background: var(--ok-bg); color: var(--ok); }
.pill.warn { background: var(--warn-bg); color: var(--warn); }
.pill.fail { background: var(--fail-bg); color: var(--fail); }

nav ul { display: flex; flex-wrap: wrap; gap: .35rem 1.5rem; margin: 1.5rem 0 0; padding: 0; list-style: none;
  font-size: .92rem; }

.scroll { overflow-x: auto; }
table { margin: .75rem 0 1.5rem; border-collapse: collapse; min-width: 24rem; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
caption { padding-bottom: .4rem; text-align: left; font-weight: 600; }
th, td { padding: .35rem .9rem; border-bottom: 1px solid var(--hair); text-align: left; vertical-align: top; }
th { color: var(--dim); font-weight: 560; font-size: .82rem; vertical-align: bottom; }
th:first-child, td:first-child { padding-left: .2rem; }
td { white-space: pre-wrap; }
.right { text-align: right; }
.center { text-align: center; }
tbody tr:hover { background: var(--faint); }

figure { margin: 1.5rem 0 2rem; }
figcaption { margin-bottom: .6rem; line-height: 1.4; }
figcaption span { display: block; color: var(--dim); font-size: .85rem; }
svg { display: block; width: 100%; min-width: 34rem; height: auto; overflow: visible;
  font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
svg text { fill: var(--dim); font-variant-numeric: tabular-nums; }
svg .name { fill: var(--text); }
svg .axis-name { fill: var(--dim); }
svg .value { fill: var(--text); font-size: 11px; }
svg .nothing { font-size: 15px; font-style: italic; }
.grid { stroke: var(--hair); stroke-width: 1; fill: none; }
.grid.minor { stroke: var(--faint); }
.axis { stroke: var(--axis); stroke-width: 1; fill: none; }
.s0 { --c: var(--c0); } .s1 { --c: var(--c1); } .s2 { --c: var(--c2); } .s3 { --c: var(--c3); }
.s4 { --c: var(--c4); } .s5 { --c: var(--c5); } .s6 { --c: var(--c6); } .s7 { --c: var(--c7); }
.line { stroke: var(--c); stroke-width: 2; fill: none; stroke-linejoin: round; stroke-linecap: round; }
.d1 .line { stroke-dasharray: 6 4; } .d2 .line { stroke-dasharray: 1.5 4; } .d3 .line { stroke-dasharray: 8 3 1.5 3; }
.band { fill: var(--c); opacity: .16; }
.dot { fill: var(--c); stroke: var(--page); stroke-width: 1; }
.hit { fill: var(--c); opacity: 0; }
.hit:hover { opacity: 1; }
.bar { fill: var(--c); }
.bar:hover { opacity: .85; }
.d1 .bar { opacity: .6; } .d2 .bar, .d3 .bar { opacity: .35; }
.whisker { stroke: var(--c); stroke-width: 1.25; fill: none; }
.bar + .whisker { stroke: var(--text); opacity: .75; }
.leader { stroke: var(--axis); stroke-width: 1; fill: none; }
.reference { stroke: var(--text); stroke-width: 1.25; stroke-dasharray: 5 4; fill: none; opacity: .75; }
svg .reference-name { fill: var(--text); font-size: 11.5px; }
.halo, svg .value { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }

@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  figure, tr, .fact { break-inside: avoid; }
  .scroll { overflow: visible; }
  svg { min-width: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace warmswap::report

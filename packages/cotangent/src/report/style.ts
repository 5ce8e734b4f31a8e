/** The style sheet of the report: one for light and dark, for screens and for paper. */

const light = `--ground:#fbfaf7;--panel:#fff;--ink:#1d1f24;--muted:#60646d;--line:#e2e0da;
--train:#2f6fdb;--test:#c9541c;--right:#2f6fdb;--wrong:#d3541a;--on:#fff;--warn:#8a5a00;--warn-ground:#fff4d9`
const dark = `--ground:#14161a;--panel:#1b1e24;--ink:#e8e6e1;--muted:#9da2ad;--line:#31353d;
--train:#7fb0ff;--test:#ff9b66;--right:#6ea4ff;--wrong:#ff8d52;--on:#10131a;--warn:#ffd68a;--warn-ground:#33280f`

export const css: string = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
main{max-width:1120px;margin:0 auto;padding:48px 28px 80px}
header{margin-bottom:28px}
h1{font-size:2.1rem;line-height:1.15;letter-spacing:-.02em;margin:0 0 6px;text-wrap:balance}
h2{font-size:1.2rem;line-height:1.3;letter-spacing:-.01em;margin:0 0 4px}
p{margin:0 0 12px;max-width:70ch}
section{margin-top:44px}
section>p,.muted{color:var(--muted)}
figure{margin:0}
figcaption{color:var(--muted);font-size:.875rem;margin-bottom:8px}
figcaption strong,h3{color:var(--ink);font-size:1rem;font-weight:600;margin:0 12px 0 0}
h3{margin:0 0 8px}
ul{list-style:none;margin:0;padding:0}
dl,dd{margin:0}
code,pre{font-family:ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.banner{background:var(--warn-ground);color:var(--warn);border-radius:8px;padding:12px 16px;margin:0 0 24px;max-width:none}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:14px}
.tile{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:16px 18px 14px}
.tile dt{color:var(--muted);font-size:.875rem}
.tile .value{font-size:1.9rem;font-weight:650;letter-spacing:-.02em;line-height:1.3;white-space:nowrap}
.tile .muted{font-size:.875rem;line-height:1.45}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:36px 32px;align-items:start}
.pair>*{min-width:0}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--muted);font-size:12px}
.axes line{stroke:var(--line)}
.axes .base{stroke:var(--muted)}
.marks line{stroke:var(--muted);stroke-opacity:.45;stroke-dasharray:2 3}
.marks text{font-size:11px}
.series .curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.raw .curve{stroke:var(--train);stroke-width:1;opacity:.36}
.train .curve{stroke:var(--train)}
.test .curve{stroke:var(--test)}
.test circle{fill:var(--test);stroke:var(--ground);stroke-width:1.5}
.key{white-space:nowrap;margin-right:10px}
.key::before{content:"";display:inline-block;width:16px;height:3px;border-radius:2px;margin-right:6px;vertical-align:middle;background:var(--train)}
.key.raw::before{height:1px;opacity:.6}
.key.test::before{background:var(--test)}
.key.above,.key.below{margin:0}
.key.above::before,.key.below::before{width:10px;height:10px;border-radius:2px;vertical-align:-1px;background:rgb(47 111 219)}
.key.below::before{background:rgb(226 104 32)}
.heat rect{stroke:var(--line);stroke-opacity:.5}
.heat .right{fill:var(--right)}
.heat .wrong{fill:var(--wrong)}
.heat .on,.heat .off{text-anchor:middle;fill:var(--ink)}
.heat .on{fill:var(--on);font-weight:600}
.heat .small{font-size:9px}
.heat .name{fill:var(--ink);font-weight:600}
.filters+.filters{margin-top:22px}
.filters ul{display:flex;flex-wrap:wrap;gap:10px 12px}
.filters img{display:block;image-rendering:pixelated;background:var(--panel);outline:1px solid var(--line)}
.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(92px,1fr));gap:16px 12px}
.mistakes img{display:block;image-rendering:pixelated;border-radius:4px;outline:1px solid var(--line);margin-bottom:5px}
.mistakes p{margin:0;font-size:.84rem;line-height:1.35;overflow-wrap:anywhere}
.mistakes .wrong{color:var(--wrong)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:var(--muted);padding-bottom:8px}
th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--line);text-align:left;font-weight:400;vertical-align:top}
thead th{color:var(--muted);font-size:.8125rem}
.number{text-align:right;white-space:nowrap}
th code{font-size:.82rem;overflow-wrap:anywhere}
td.bars{width:22%;min-width:110px;padding-right:0}
.bar{display:block;height:.72em;margin-top:.42em;border-radius:2px;min-width:1px;background:var(--train)}
details{margin-top:10px}
th details{margin:0}
th pre{white-space:pre-wrap;overflow-wrap:anywhere}
summary{cursor:pointer}
summary:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--train);outline-offset:3px;border-radius:3px}
pre{margin:10px 0 0;padding:14px 16px;max-height:70vh;overflow:auto;background:var(--panel);border:1px solid var(--line);
border-radius:8px;font-size:.78rem;line-height:1.5;tab-size:2}
.facts dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;font-size:.9rem}
.facts dt{color:var(--muted)}
.facts dd{overflow-wrap:anywhere}
footer{margin-top:52px;padding-top:14px;border-top:1px solid var(--line);color:var(--muted);font-size:.84rem}
@media (max-width:600px){main{padding:28px 16px 56px}h1{font-size:1.6rem}}
@media print{:root{color-scheme:light;${light}}main{padding:0;max-width:none}section,figure,.tile{break-inside:avoid}pre{max-height:none}}
`

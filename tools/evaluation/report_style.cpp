#include "tools/evaluation/report_style.h"

namespace synod {
namespace {

// Two colours carry meaning everywhere: blue is real, orange is synthetic. Text keeps a contrast of at least 4.5 to 1.
constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--page:#f7f6f3;--card:#fff;--ink:#1d2730;--soft:#56626e;--line:#e2dfd8;--grid:#eceae4;
--real:#2b6a9b;--synthetic:#d0741f;--real-text:#245a85;--synthetic-text:#9c5312;--warn:#8a3b12;--warn-page:#fdf1e7;
--warn-line:#e9b48c}
@media (prefers-color-scheme:dark){:root{--page:#12161b;--card:#1a2027;--ink:#e5e9ed;--soft:#a2adb8;--line:#2d3640;
--grid:#262e37;--real:#5d9fd0;--synthetic:#e8954a;--real-text:#86bce4;--synthetic-text:#f0ae74;--warn:#f5c19a;
--warn-page:#2c1f15;--warn-line:#6d4526}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif;
font-variant-numeric:tabular-nums;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main{max-width:1240px;margin:0 auto;padding:40px 28px 64px}
h1{font-size:2rem;line-height:1.2;letter-spacing:-.015em;margin:.1em 0 .35em;font-weight:650;overflow-wrap:anywhere}
h2{font-size:1.28rem;letter-spacing:-.008em;margin:2.4em 0 .25em;font-weight:620}
h3{font-size:1rem;margin:0;font-weight:600;overflow-wrap:anywhere}
p{margin:.5em 0;max-width:76ch}
a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:3px}
.overline{color:var(--soft);font-size:.8rem;letter-spacing:.09em;text-transform:uppercase;margin:0}
.lead,.hint{color:var(--soft)}
.lead{max-width:none}
.hint{font-size:.9rem;margin:.15em 0 1em}
.mark{border:1px solid var(--warn-line);border-left-width:5px;background:var(--warn-page);color:var(--warn);
border-radius:8px;padding:12px 16px;margin:22px 0}
.mark strong{display:block}
.mark p{margin:.2em 0 0;font-size:.92rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:14px 28px;margin:0}
.facts dt{color:var(--soft);font-size:.8rem}
.facts dd{margin:0;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:14px;margin:22px 0 0}
.tile .value{font-size:1.9rem;font-weight:620;letter-spacing:-.02em;line-height:1.25;color:var(--synthetic-text)}
.tile .name{font-size:.92rem;font-weight:600}
.tile .than{color:var(--soft);font-size:.85rem}
.key{display:flex;flex-wrap:wrap;gap:4px 20px;font-size:.88rem;color:var(--soft);margin:.4em 0 1em}
.key i{display:inline-block;width:12px;height:12px;border-radius:2px;margin-right:7px;vertical-align:-1px}
i.r{background:var(--real)}i.s{background:var(--synthetic)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;font-weight:400;padding:9px 10px;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-size:.8rem;vertical-align:bottom}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
.n{text-align:right;white-space:nowrap}
td.n.real,.real b{color:var(--real-text)}
td.n.syn,.syn b{color:var(--synthetic-text)}
td.n.syn{font-weight:600}
tr.group th{padding-top:22px;font-weight:620;border-top:0}
tr.group:first-child th{padding-top:4px}
.what{display:block;color:var(--soft);font-size:.85rem;max-width:62ch}
.meter{display:block;background:var(--grid);border-radius:3px;height:9px;margin-top:7px;min-width:60px}
.meter span{display:block;height:9px;border-radius:3px;background:var(--synthetic)}
.cards{columns:3 340px;column-gap:16px}
.cards>*{break-inside:avoid;margin:0 0 16px}
.column header{display:flex;justify-content:space-between;gap:12px;align-items:baseline;margin-bottom:10px}
.column header span{color:var(--soft);font-size:.82rem;white-space:nowrap}
.cats{font-size:.84rem;table-layout:fixed}
.cats th,.cats td{border:0;padding:3px 0;vertical-align:middle;line-height:1.25}
.cats .c1{width:37%}.cats .c3{width:58px}
.cats th{padding-right:10px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.cats td.n{font-size:.78rem}
.cats td.n span{display:block}
.cats .bar span{display:block;height:9px;border-radius:0 2px 2px 0;min-width:1px}
.cats .rest th{color:var(--soft);font-style:italic}
.r{color:var(--real-text)}.s{color:var(--synthetic-text)}
.bar .r{background:var(--real);margin-bottom:2px}.bar .s{background:var(--synthetic)}
.plot{position:relative;margin:20px 0 24px}
.plot svg{display:block;width:100%;height:150px;overflow:visible}
.plot .top{position:absolute;left:0;top:-18px;font-size:.74rem;color:var(--soft);line-height:1.2}
.plot .tick{position:absolute;top:153px;transform:translateX(-50%);font-size:.74rem;color:var(--soft);white-space:nowrap}
.plot .first{transform:none}.plot .last{transform:translateX(-100%)}
.grid{stroke:var(--grid);stroke-width:1;vector-effect:non-scaling-stroke}
.base{stroke:var(--soft);stroke-width:1;vector-effect:non-scaling-stroke}
.area{fill:var(--real);fill-opacity:.42}
.step{fill:none;stroke:var(--synthetic);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.stats{font-size:.8rem;table-layout:fixed}
.stats th:first-child{width:21%;padding-left:0}.rest{color:var(--soft);font-size:.8rem;margin:.5em 0 0}
.stats th,.stats td{padding:3px 0 3px 6px;border-top:1px solid var(--grid)}
.stats thead th{border:0;font-size:.74rem}
.maps{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,var(--map)),1fr));gap:16px;align-items:start}
.maps figure{margin:0}
.scroll{overflow-x:auto}
.maps svg{display:block;width:100%;min-width:var(--least);max-width:var(--most)}
.maps text{font-size:11px;fill:var(--soft)}
.maps .p{fill:var(--real)}.maps .m{fill:var(--synthetic)}.maps .d{fill:var(--grid)}
.maps .frame{fill:none;stroke:var(--line)}
.scale{display:flex;align-items:center;gap:10px;font-size:.8rem;color:var(--soft);margin-top:10px}
.scale span{flex:1;height:10px;border-radius:2px;max-width:220px;
background:linear-gradient(90deg,var(--synthetic),var(--card),var(--real))}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.terms dt{font-weight:600;margin-top:.8em}
.terms dd{margin:0;max-width:76ch;color:var(--soft);font-size:.92rem}
footer{color:var(--soft);font-size:.85rem;margin-top:3em;border-top:1px solid var(--line);padding-top:1em}
@media (max-width:560px){main{padding:22px 14px 40px}h1{font-size:1.5rem}.card{padding:14px}
.tiles{grid-template-columns:1fr 1fr;gap:10px}.tile .value{font-size:1.5rem}
th,td{padding:8px 6px}.facts{grid-template-columns:1fr 1fr;gap:12px 16px}.opt{display:none}}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#1d2730;--soft:#56626e;--line:#d8d5ce;--grid:#eceae4;
--real:#2b6a9b;--synthetic:#d0741f;--real-text:#245a85;--synthetic-text:#9c5312;--warn:#8a3b12;--warn-page:#fdf1e7;
--warn-line:#e9b48c}
body{font-size:10.5pt}main{max-width:none;padding:0}.card,figure,tr,.mark{break-inside:avoid}h2,h3{break-after:avoid}
.cards{columns:2}}
)css";

}  // namespace

std::string_view ReportStyle() {
  return kStyle;
}

}  // namespace synod

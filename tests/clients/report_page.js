// node report_page.js CHROMIUM PAGE WIDTH ...: what axe and the console say of a page at these widths, as JSON.
const puppeteer = require('puppeteer-core'), fs = require('fs'), url = require('url');
const [chromium, page, ...widths] = process.argv.slice(2);
(async () => {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox', '--allow-file-access-from-files'] });
  const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
  const found = [];
  for (const width of widths.map(Number)) {
    const tab = await browser.newPage(), said = [], asked = [];
    tab.on('console', line => line.type() === 'error' && said.push(line.text()));
    tab.on('pageerror', error => said.push(String(error)));
    tab.on('request', request => /^https?:/.test(request.url()) && asked.push(request.url()));
    await tab.setViewport({ width, height: 900 });
    await tab.goto(url.pathToFileURL(page).href);
    await tab.evaluate(axe);
    const result = await tab.evaluate(() => axe.run());
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
    found.push({ width, wide, said, asked, violations: result.violations.map(v => `${v.id}: ${v.nodes[0].html}`) });
    await tab.close();
  }
  console.log(JSON.stringify(found));
  await browser.close();
})().catch(error => { console.error(error); process.exit(1); });

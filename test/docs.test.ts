/** What the pages say of each other and of the program is there. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { romana } from '../cli/romana.ts'
import { createAdminApp } from '../plugin/admin/app.ts'
import { keepLog } from './plugin/http-steps.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGES = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT })

function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** Code is shown, not followed. */
function withoutCode(page: string): string {
  return page.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

/** As GitHub names headings: small letters, no punctuation, a hyphen for each blank. */
function anchorsOf(page: string): string[] {
  const headings = [...page.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)]
  return headings.map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** "docs/hosts.md: networks.md#nowhere" for a link that leads nowhere. */
function deadLinks(path: string): string[] {
  const links = [...withoutCode(readPage(path)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links
    .filter((link) => !link.includes(':') && !leadsSomewhere(path, link))
    .map((link) => `${path}: ${link}`)
}

function leadsSomewhere(path: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? path : join(dirname(path), file)
  if (!existsSync(join(ROOT, target))) return false
  return anchor === undefined || anchorsOf(readPage(target)).includes(anchor)
}

test('each link of a page leads to a file and, where it names one, to a heading that is there', () => {
  expect(PAGES.length).toBeGreaterThan(30)
  expect(PAGES.flatMap(deadLinks)).toEqual([])
})

describe('docs/cli.md has each', () => {
  const page = readPage('docs/cli.md')

  test('command', async () => {
    const { text } = await romana(['--help'])
    const commands = [...text.matchAll(/^ +([a-z-]+(?: [a-z]+)?) {2,}\S/gm)].map(([, name = '']) => name)
    expect(commands.length).toBeGreaterThan(20)
    expect(commands.filter((name) => !new RegExp(`\`romana ${name}[ \`]`).test(page))).toEqual([])
  })

  test('request of the admin API', () => {
    const parts = () => Promise.reject(new Error('Nobody asks'))
    const { routes } = createAdminApp({ parts, log: keepLog().log })
    const requests = routes.filter(({ method }) => method !== 'ALL')
    const texts = requests.map(
      ({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, (name) => name.slice(1).toUpperCase())}`,
    )
    expect(texts.length).toBeGreaterThan(15)
    expect(texts.filter((text) => !page.includes(`\`${text}\``))).toEqual([])
  })
})

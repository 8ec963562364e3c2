/** What a source file says about itself that the architecture has rules for. Pure. */
import { posix } from 'node:path'
import { type ESTree, parseSync, Visitor, type VisitorObject } from 'rolldown/utils'

export interface SourceFile {
  /** From the root of the repository, with slashes: "host/marks.ts". */
  readonly path: string
  readonly text: string
}

/** Stands among the packages for an import whose specifier is not a plain text. */
export const COMPUTED = '(computed)'

export interface SourceFacts {
  readonly path: string
  /** Paths of the files that it imports, for their types too. */
  readonly files: readonly string[]
  /** What else it imports: "node:fs", or the name of a package without what follows it. */
  readonly packages: readonly string[]
  readonly readsEnvironment: boolean
  readonly hasDefaultExport: boolean
}

/** @throws Error when the text is not TypeScript. */
export function readSource({ path, text }: SourceFile): SourceFacts {
  const { program, errors } = parseSync(path, text)
  if (errors[0] !== undefined) throw new Error(`Cannot read ${path}: ${errors[0].message}`)
  const seen = { specifiers: new Set<string>(), environment: false, defaultExport: false }
  new Visitor({
    ...onImport((specifier) => seen.specifiers.add(specifier)),
    ...onEnvironment(() => {
      seen.environment = true
    }),
    ...onDefaultExport(() => {
      seen.defaultExport = true
    }),
  }).visit(program)
  const specifiers = [...seen.specifiers]
  return {
    path,
    files: specifiers.filter(isFile).map((specifier) => posix.join(posix.dirname(path), specifier)),
    packages: specifiers.filter((specifier) => !isFile(specifier)).map(packageOf),
    readsEnvironment: seen.environment,
    hasDefaultExport: seen.defaultExport,
  }
}

/** Every form of import, `import('./a.ts').A` in a type too. */
function onImport(report: (specifier: string) => void): VisitorObject {
  const visit = ({ source }: { readonly source: ESTree.Expression | null }) => {
    if (source !== null) report(source.type === 'Literal' ? String(source.value) : COMPUTED)
  }
  return {
    ImportDeclaration: visit,
    ImportExpression: visit,
    ExportAllDeclaration: visit,
    ExportNamedDeclaration: visit,
    TSImportType: visit,
  }
}

/** `process.env`, `globalThis.process['env']` and `const { env } = process`. */
function onEnvironment(report: () => void): VisitorObject {
  return {
    MemberExpression({ object, property }) {
      if (isProcess(object) && nameOf(property) === 'env') report()
    },
    VariableDeclarator({ id, init }) {
      if (id.type === 'ObjectPattern' && init !== null && isProcess(init)) report()
    },
  }
}

function onDefaultExport(report: () => void): VisitorObject {
  return {
    ExportDefaultDeclaration: report,
    ExportSpecifier({ exported }) {
      if (nameOf(exported) === 'default') report()
    },
  }
}

function isProcess(node: ESTree.Node): boolean {
  return nameOf(node.type === 'MemberExpression' ? node.property : node) === 'process'
}

/** The text that a name or a string stands for. */
function nameOf(node: ESTree.Node): unknown {
  if (node.type === 'Identifier') return node.name
  return node.type === 'Literal' ? node.value : undefined
}

function isFile(specifier: string): boolean {
  return specifier.startsWith('.')
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  const parts = specifier.startsWith('@') ? 2 : 1
  return specifier.split('/').slice(0, parts).join('/')
}

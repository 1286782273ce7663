/**
 * Types of the global `WebAssembly`, as far as upvm uses it.
 *
 * TypeScript has them only in the libraries "dom" and "webworker", which would also make `name`, `self`, `close`
 * and a hundred other globals of a browser visible here. Source: WebAssembly JavaScript Interface, and the
 * threads proposal for `shared`.
 */
declare namespace WebAssembly {
  type BufferSource = ArrayBufferView<ArrayBufferLike> | ArrayBufferLike;
  type ImportExportKind = "function" | "global" | "memory" | "table" | "tag";
  type ValueType = "anyfunc" | "externref" | "f32" | "f64" | "i32" | "i64" | "v128";
  /** Cast it to the type that the module is known to have. */
  type ExportFunction = (...args: never) => unknown;
  type ExportValue = ExportFunction | Global | Memory | Table | Tag;
  type ImportValue = ExportValue | number | bigint;
  type Exports = Record<string, ExportValue>;
  type ModuleImports = Record<string, ImportValue>;
  type Imports = Record<string, ModuleImports>;

  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  class Module {
    constructor(bytes: BufferSource);
    static customSections(module: Module, name: string): ArrayBuffer[];
    static exports(module: Module): { name: string; kind: ImportExportKind }[];
    static imports(module: Module): { module: string; name: string; kind: ImportExportKind }[];
  }

  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }

  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
    /** @returns pages before; throws RangeError beyond the maximum or what the machine gives */
    grow(pages: number): number;
  }

  class Table {
    constructor(descriptor: { element: "anyfunc" | "externref"; initial: number; maximum?: number }, value?: unknown);
    readonly length: number;
    get(index: number): unknown;
    grow(entries: number, value?: unknown): number;
    set(index: number, value?: unknown): void;
  }

  class Global<T = number | bigint> {
    constructor(descriptor: { value: ValueType; mutable?: boolean }, value?: T);
    value: T;
    valueOf(): T;
  }

  class Tag {
    constructor(descriptor: { parameters: ValueType[] });
  }

  class Exception extends Error {
    constructor(tag: Tag, payload: unknown[]);
    is(tag: Tag): boolean;
    getArg(tag: Tag, index: number): unknown;
  }

  function validate(bytes: BufferSource): boolean;
  function compile(bytes: BufferSource): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function instantiate(
    bytes: BufferSource,
    imports?: Imports,
  ): Promise<{ module: Module; instance: Instance }>;
}

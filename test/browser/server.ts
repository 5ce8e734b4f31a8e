/** A server of pages, each with headers of its own, and of the files that they load. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface Page {
  readonly headers: Readonly<Record<string, string>>
  readonly html: string
}

export interface Site {
  /** By path, as `/page`. */
  readonly pages: Readonly<Record<string, Page>>
  /** Scripts by path. */
  readonly scripts: Readonly<Record<string, string>>
  /** Folders by the path that they are found under, which ends in `/`. */
  readonly folders: Readonly<Record<string, string>>
}

export interface Server {
  readonly origin: string
  readonly close: () => Promise<void>
}

/** Serves on a free port of this machine alone. */
export const serve = async (site: Site): Promise<Server> => {
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string, headers = {}): void => {
      response.writeHead(status, { 'content-type': type, ...headers })
      response.end(body)
    }
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const page = site.pages[path]
    const script = site.scripts[path]
    const folder = Object.keys(site.folders).find((prefix) => path.startsWith(prefix))
    if (page !== undefined) send(200, 'text/html; charset=utf-8', page.html, page.headers)
    else if (script !== undefined) send(200, 'text/javascript', script)
    else if (folder === undefined) send(path === '/favicon.ico' ? 204 : 404, 'text/plain', '')
    else {
      const file = join(site.folders[folder]!, path.slice(folder.length))
      readFile(file, 'utf8').then(
        (text) => send(200, 'text/javascript', text),
        () => send(404, 'text/plain', `there is no ${path}`),
      )
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (!isTcp(address)) throw new Error('the server has no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const isTcp = (address: AddressInfo | string | null): address is AddressInfo =>
  typeof address === 'object' && address !== null

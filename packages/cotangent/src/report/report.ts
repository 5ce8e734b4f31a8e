/** The report of a run: one HTML page that needs no other file, no network and no script. */
import { learningCurves } from './curves.ts'
import type { GraphText, ReportData } from './data.ts'
import { count, plural } from './format.ts'
import { heatMap } from './heatMap.ts'
import { filterImages, mistakeImages } from './images.ts'
import { type Child, element, type Markup } from './markup.ts'
import { foldedText, page, pair, section } from './page.ts'
import { summaryTiles } from './summary.ts'
import { kernelTable, namedTexts, stageTable } from './tables.ts'

const header = (data: ReportData): readonly Markup[] => {
  const below = [data.subtitle, data.date].filter((t) => t !== undefined && t !== '').join(' · ')
  const top = element('header', {}, [
    element('h1', {}, [data.title]),
    element('p', { class: 'muted' }, [below]),
  ])
  if (data.interrupted === undefined) return [top]
  const banner = element('p', { class: 'banner', role: 'note' }, [
    element('strong', {}, ['Stopped early']),
    ` ${data.interrupted}. Everything below is as it stood then.`,
  ])
  return [top, banner]
}

const key = (style: string, label: string): Markup =>
  element('span', { class: `key ${style}` }, [label])

const curves = ({ training, tests = [] }: ReportData): readonly Markup[] => {
  if (training === undefined) return []
  if (training.loss.length === 0) {
    return [section('learning', 'Learning', [element('p', {}, ['No step was taken.'])])]
  }
  const [loss, accuracy] = learningCurves(training, tests)
  const figure = (name: string, drawing: Markup): Markup =>
    element('figure', {}, [
      element('figcaption', {}, [
        element('strong', {}, [name]),
        key('raw', 'each batch'),
        key('train', 'smoothed'),
        ...(tests.length > 0 ? [key('test', 'test set')] : []),
      ]),
      drawing,
    ])
  return [
    section('learning', 'Learning', [pair([figure('Loss', loss), figure('Accuracy', accuracy)])]),
  ]
}

const confusionAndMistakes = ({ confusion, mistakes }: ReportData): readonly Markup[] => {
  const matrix =
    confusion === undefined
      ? []
      : [
          section('confusion-heading', 'What is taken for what', [
            element('p', {}, ['Blue is right, orange is wrong; at the right the share found.']),
            heatMap(confusion),
          ]),
        ]
  const worst: readonly Child[] =
    mistakes === undefined || mistakes.length === 0
      ? [element('p', {}, ['There is none in the test set.'])]
      : [
          element('p', {}, ['The wrong answers that the model was surest of.']),
          mistakeImages(mistakes),
        ]
  const errors =
    mistakes === undefined ? [] : [section('mistakes-heading', 'Worst mistakes', worst)]
  const both = [...matrix, ...errors]
  return both.length === 0 ? [] : [pair(both)]
}

const filters = ({ filters: banks = [] }: ReportData): readonly Markup[] =>
  banks.length === 0 ? [] : [section('filters', 'Learned filters', banks.map(filterImages))]

const kernels = (data: ReportData): readonly Markup[] => {
  if (data.kernels === undefined || data.kernels.length === 0) return []
  const roofs = data.roofs === undefined ? [] : [element('p', {}, [data.roofs])]
  const table = kernelTable(data.kernels, data.kernelsMeasuredOver)
  return [section('kernels', 'Time per kernel', [...roofs, table])]
}

const firstCall = ({ firstCall: stages = [] }: ReportData): readonly Markup[] =>
  stages.length === 0
    ? []
    : [section('first-call', 'The first call of the step', [stageTable(stages)])]

const graphText = ({ label, equations, text }: GraphText): Markup =>
  foldedText(
    [
      element('strong', {}, [label]),
      element('span', { class: 'muted' }, [` ${plural(equations, 'equation')}`]),
    ],
    text,
  )

const graphs = ({ graphs: texts = [] }: ReportData): readonly Markup[] => {
  const [first] = texts
  const last = texts.at(-1)
  if (first === undefined || last === undefined) return []
  const change = `${count(first.equations)} equations as traced, ${count(last.equations)} after optimisation.`
  const intro = texts.length > 1 ? [element('p', {}, [change])] : []
  return [section('graph', 'The graph of a training step', [...intro, ...texts.map(graphText)])]
}

const facts = ({ settings, environment }: ReportData): Markup =>
  pair(
    [
      section('settings', 'Settings', [namedTexts(settings)]),
      section('environment', 'Environment', [namedTexts(environment)]),
    ],
    'facts',
  )

const notes = ({ notes: remarks = [] }: ReportData): readonly Markup[] =>
  remarks.length === 0
    ? []
    : [
        section(
          'notes',
          'Notes',
          remarks.map((remark) => element('p', {}, [remark])),
        ),
      ]

/**
 * The page as text. A pure function: the same data gives the same bytes.
 * @throws RangeError if filters, images or counts do not have the sizes that they say.
 */
export const renderReport = (data: ReportData): string =>
  page(data.title, [
    ...header(data),
    summaryTiles(data.summary),
    ...curves(data),
    ...confusionAndMistakes(data),
    ...filters(data),
    ...kernels(data),
    ...firstCall(data),
    ...graphs(data),
    facts(data),
    ...notes(data),
    element('footer', {}, ['Made by cotangent. This page needs no network and runs no script.']),
  ])

<?php

declare(strict_types=1);

namespace Prometheus;

class RenderTextFormat implements RendererInterface
{
    public const MIME_TYPE = 'text/plain; version=0.0.4';

    /**
     * @param MetricFamilySamples[] $metrics
     */
    public function render(array $metrics): string
    {
        usort($metrics, static fn ($a, $b) => strcmp($a->getName(), $b->getName()));
        $lines = [];
        foreach ($metrics as $metric) {
            $lines[] = "# HELP {$metric->getName()} {$metric->getHelp()}";
            $lines[] = "# TYPE {$metric->getName()} {$metric->getType()}";
            foreach ($metric->getSamples() as $sample) {
                $lines[] = $sample->getName() . self::labels($metric, $sample) . ' ' . $sample->getValue();
            }
        }

        return implode("\n", $lines) . "\n";
    }

    private static function labels(MetricFamilySamples $metric, Sample $sample): string
    {
        $names = [...$metric->getLabelNames(), ...$sample->getLabelNames()];
        $labels = [];
        foreach (array_combine($names, $sample->getLabelValues()) as $name => $value) {
            $labels[] = "$name=\"" . addcslashes((string) $value, "\\\n\"") . '"';
        }

        return $labels === [] ? '' : '{' . implode(',', $labels) . '}';
    }
}

<?php

declare(strict_types=1);

namespace Prometheus;

/**
 * What storages that keep totals collect; nothing here looks into it.
 */
class MetricFamilySamples
{
}

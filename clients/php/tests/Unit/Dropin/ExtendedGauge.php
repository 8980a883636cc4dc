<?php

declare(strict_types=1);

namespace Pushprom\Tests\Unit\Dropin;

use pushprom\Gauge;

/**
 * As applications extended the old classes, without types.
 */
class ExtendedGauge extends Gauge
{
    protected $name;

    protected $labels;

    public function sub($value)
    {
        return parent::sub(2 * $value);
    }
}

<?php

declare(strict_types=1);

namespace pushprom;

/**
 * What goes up and down.
 */
class Gauge extends Metric
{
    /**
     * Is so much now.
     *
     * @param mixed $value is taken for a float
     * @return bool|string|null what the connection returns
     */
    public function set($value)
    {
        return $this->pushDelta(['value' => $value, 'method' => 'set']);
    }

    /**
     * One more.
     *
     * @return bool|string|null what the connection returns
     */
    public function inc()
    {
        return $this->pushDelta(['method' => 'inc']);
    }

    /**
     * One less.
     *
     * @return bool|string|null what the connection returns
     */
    public function dec()
    {
        return $this->pushDelta(['method' => 'dec']);
    }

    /**
     * So many more.
     *
     * @param mixed $value is taken for a float
     * @return bool|string|null what the connection returns
     */
    public function add($value)
    {
        return $this->pushDelta(['value' => $value, 'method' => 'add']);
    }

    /**
     * So many fewer.
     *
     * @param mixed $value is taken for a float
     * @return bool|string|null what the connection returns
     */
    public function sub($value)
    {
        return $this->pushDelta(['value' => $value, 'method' => 'sub']);
    }
}

<?php

declare(strict_types=1);

namespace pushprom;

use Pushprom\Dropin\LabelValue;
use Pushprom\Transport\Quiet;

/**
 * A metric whose deltas go to a connection. Parameters and properties have as many types as they had in
 * messagebird/pushprom-php-client, so that classes that extend these go on working.
 */
abstract class Metric
{
    /** @var mixed|Connection something with a method push() */
    protected $connection;

    /** @var string */
    protected $name;

    /** @var string */
    protected $help;

    /** @var array<mixed> */
    protected $labels;

    /** @var bool nothing looks at it, and nothing ever did */
    protected $useUDP;

    /**
     * @param mixed|Connection $connection a Connection, or something else with a method push()
     * @param string $name metric name
     * @param string $help what is measured, in a sentence
     * @param array<mixed> $labels label values by label name
     * @throws \Exception if there is no connection, name or help
     */
    public function __construct($connection, string $name, string $help, array $labels = [])
    {
        $this->connection = $connection;
        $this->name = $name;
        $this->help = $help;
        $this->labels = $labels;
        if ($connection == null) {
            throw new \Exception(
                'The first argument needs to be one of pushprom\yii2\ConnectionProxy, pushprom\Connection.'
            );
        }
        if (empty($name)) {
            throw new \Exception("metric Name can't be empty.");
        }
        if (empty($help)) {
            throw new \Exception("metric Help can't be empty.");
        }
    }

    /**
     * Pushes a delta of this metric; its type is the name of the class.
     *
     * @param array<string, mixed> $attrs further fields of it
     * @return bool|string|null what the connection returns
     */
    public function pushDelta(array $attrs = [])
    {
        $names = \explode('\\', \strtolower(static::class));
        $delta = \array_merge(
            [
                'type' => \end($names),
                'name' => $this->name,
                'help' => $this->help,
                'labels' => $this->labels,
            ],
            $attrs
        );
        if (isset($delta['value'])) {
            $delta['value'] = Quiet::call(static fn (): float => \floatval($delta['value']));
        }
        $delta['labels'] = \array_map(LabelValue::text(...), (array) $delta['labels']);

        return $this->connection->push($delta);
    }
}

<?php

declare(strict_types=1);

namespace yii\log;

use yii\base\Component;

class Logger extends Component
{
    public const LEVEL_WARNING = 0x02;

    /** @var list<array{mixed, int, string, float}> message, level, category, time */
    public $messages = [];

    public function init()
    {
        // Once more after what other functions have logged that are called at the end.
        register_shutdown_function(function (): void {
            $this->flush();
            register_shutdown_function([$this, 'flush'], true);
        });
    }

    public function log(mixed $message, int $level, string $category = 'application'): void
    {
        $this->messages[] = [$message, $level, $category, microtime(true)];
    }

    /**
     * Hands the messages to what writes them, in Yii.
     *
     * @param bool $final
     */
    public function flush($final = false)
    {
        $this->messages = [];
    }

    /**
     * Seconds since the request began.
     */
    public function getElapsedTime(): float
    {
        return microtime(true) - YII_BEGIN_TIME;
    }
}

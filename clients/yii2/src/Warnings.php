<?php

declare(strict_types=1);

namespace pushprom\yii2;

use Yii;

/**
 * Tells the log of Yii what could not be done, at the very end of a request too.
 *
 * @internal
 */
final class Warnings
{
    private bool $areFlushed = false;

    public function tell(string $message): void
    {
        Yii::warning($message, ConnectionProxy::class);
        if ($this->areFlushed) {
            return;
        }
        $this->areFlushed = true;
        // The log is written for the last time before the client sends for the last time; so once more after that.
        \register_shutdown_function(static function (): void {
            \register_shutdown_function(static fn () => Yii::getLogger()->flush(true));
        });
    }
}

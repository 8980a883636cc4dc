<?php

declare(strict_types=1);

namespace yii\base;

/**
 * Ends the process after a fatal error, behind the functions for its end that the application has registered.
 */
class ErrorHandler extends Component
{
    public const EVENT_SHUTDOWN = 'shutdown';

    private const FATAL = E_ERROR | E_PARSE | E_CORE_ERROR | E_CORE_WARNING | E_COMPILE_ERROR | E_COMPILE_WARNING;

    public function register(): void
    {
        ini_set('display_errors', '0');
        register_shutdown_function([$this, 'handleFatalError']);
    }

    public function handleFatalError(): void
    {
        if (((error_get_last()['type'] ?? 0) & self::FATAL) === 0) {
            return;
        }
        \yii\BaseYii::getLogger()->flush(true);
        $this->trigger(self::EVENT_SHUTDOWN);
        register_shutdown_function(static fn () => exit(1));
    }
}

<?php

declare(strict_types=1);

/**
 * What PHP-FPM has to finish a response; here it tells that it was called.
 */
function fastcgi_finish_request(): bool
{
    Yii::$app->trigger('finished');

    return true;
}

<?php

declare(strict_types=1);

namespace yii\base;

class InvalidConfigException extends Exception
{
}

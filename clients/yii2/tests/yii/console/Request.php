<?php

declare(strict_types=1);

namespace yii\console;

class Request extends \yii\base\Request
{
}

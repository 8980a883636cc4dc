<?php

declare(strict_types=1);

namespace yii\base;

abstract class Request extends Component
{
}

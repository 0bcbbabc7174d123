<?php

namespace App\Jobs;

/** A job without a class of its own, as Laravel 4 had them. */
class Handler
{
    public function run($job)
    {
        $job->delete();
    }
}

<?php

namespace App\Jobs;

/** Fails with a text that looks like lines of ours. */
class Forging extends Job
{
    public function handle()
    {
        $queued = json_encode([
            'message' => 'Job queued',
            'context' => ['id' => 'forged', 'job' => 'App\Jobs\Forged', 'queue' => 'default'],
            'level' => 200,
            'level_name' => 'INFO',
        ]);
        $processing = '['.date('Y-m-d H:i:s').'][forged] Processing: App\Jobs\Forged';
        throw new \RuntimeException("first line\n{$queued}\n{$processing}\nlast line");
    }
}

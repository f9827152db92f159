package delivery

import (
	"testing"
	"time"

	"momoproxy/shared/webhook"
)

func TestInFlight(t *testing.T) {
	t.Parallel()
	full := func(n int, ago time.Duration) InFlight {
		return InFlight{Count: n, GrewAt: noon.Add(-ago), FullAt: noon.Add(-ago)}
	}
	answering := func(f InFlight, ago time.Duration) InFlight { f.AnsweredAt = noon.Add(-ago); return f }
	for name, c := range map[string]struct {
		before InFlight
		after  InFlight
		room   bool
	}{
		"the first":           {InFlight{}, InFlight{Count: 1, GrewAt: noon}, true},
		"the third":           {InFlight{Count: 2, GrewAt: noon.Add(-1)}, InFlight{Count: 3, GrewAt: noon}, true},
		"the last":            {InFlight{Count: maxUnanswered - 1, GrewAt: noon}, full(maxUnanswered, 0), true},
		"one too many":        {full(maxUnanswered, 1), full(maxUnanswered+1, 0), false},
		"answers, the last":   {answering(InFlight{Count: maxInFlight - 1, GrewAt: noon}, limitedFor-1), answering(full(maxInFlight, 0), limitedFor-1), true},
		"answers, too many":   {answering(full(maxInFlight, 1), 0), answering(full(maxInFlight+1, 0), 0), false},
		"answered long ago":   {answering(full(maxUnanswered, 1), limitedFor), answering(full(maxUnanswered+1, 0), limitedFor), false},
		"answered by a clock": {answering(full(maxUnanswered, 1), -1), answering(full(maxUnanswered+1, 0), -1), false},
		"still unanswered":    {full(maxUnanswered, webhook.Timeout-1), full(maxUnanswered+1, 0), false},
		"left behind":         {InFlight{Count: maxUnanswered, GrewAt: noon.Add(-webhook.Timeout)}, InFlight{Count: 1, GrewAt: noon}, true},
		"grew by a clock":     {InFlight{Count: maxUnanswered, GrewAt: noon.Add(1)}, InFlight{Count: 1, GrewAt: noon}, true},
	} {
		if after, room := c.before.Begin(noon); after != c.after || room != c.room {
			t.Errorf("%s: %+v, %v, want %+v, %v", name, after, room, c.after, c.room)
		}
	}

	for name, c := range map[string]struct {
		before, after InFlight
		answered      bool
	}{
		"failed":                  {full(3, 1), InFlight{Count: 2, GrewAt: noon.Add(-1), FullAt: noon.Add(-1)}, false},
		"forgotten already":       {InFlight{}, InFlight{}, false},
		"answered":                {full(4, 1), answering(InFlight{Count: 3, GrewAt: noon.Add(-1), FullAt: noon.Add(-1)}, 0), true},
		"answered again":          {answering(full(4, 1), limitedFor-1), answering(InFlight{Count: 3, GrewAt: noon.Add(-1), FullAt: noon.Add(-1)}, 0), true},
		"failed, others answered": {answering(full(4, 1), 1), answering(InFlight{Count: 3, GrewAt: noon.Add(-1), FullAt: noon.Add(-1)}, 1), false},
	} {
		if after := c.before.End(c.answered, noon); after != c.after {
			t.Errorf("%s: %+v, want %+v", name, after, c.after)
		}
	}

	for ago, want := range map[time.Duration]bool{-1: false, 0: true, limitedFor - 1: true, limitedFor: false} {
		if full(4, ago).Limited(noon) != want {
			t.Errorf("full %v ago: limited is %v", ago, !want)
		}
	}
	if (InFlight{}).Limited(noon) {
		t.Error("limited from the start")
	}
}

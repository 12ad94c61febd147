using System.Globalization;
using LocalPlus.Sidecar.Cli;
using LocalPlus.Sidecar.Resources;

namespace LocalPlus.Sidecar.Bindings;

/// <summary>When a cron binding fires: <c>@every 5m</c>, a name such as <c>@hourly</c>, or five or six cron fields.</summary>
internal sealed class CronSchedule
{
    private static readonly (int From, int To)[] Ranges = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
    private static readonly TimeSpan Horizon = TimeSpan.FromDays(366 * 5);
    private readonly TimeSpan? every;
    private readonly bool[][] fields = [];

    private CronSchedule(TimeSpan every) => this.every = every;

    private CronSchedule(bool[][] fields) => this.fields = fields;

    public static CronSchedule Parse(string text)
    {
        if (text.StartsWith("@every ", StringComparison.Ordinal))
        {
            return Quantities.TryParseDuration(text.AsSpan("@every ".Length).Trim(), out var period) && period >= TimeSpan.FromSeconds(1)
                ? new CronSchedule(period)
                : throw Wrong(text);
        }
        text = text switch
        {
            "@yearly" or "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" or "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ => text,
        };
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 5)
        {
            parts = ["0", .. parts];
        }
        return parts.Length == 6 ? new CronSchedule([.. parts.Select((p, i) => Field(p, Ranges[i], text))]) : throw Wrong(text);
    }

    /// <summary>The first moment after the given one.</summary>
    public DateTime Next(DateTime after)
    {
        if (every is { } period)
        {
            return after + period;
        }
        var at = new DateTime(after.Year, after.Month, after.Day, after.Hour, after.Minute, after.Second, after.Kind).AddSeconds(1);
        var end = after + Horizon;
        while (at < end)
        {
            if (!fields[4][at.Month] || !fields[3][at.Day] || !fields[5][(int)at.DayOfWeek])
            {
                at = at.Date.AddDays(1);
            }
            else if (!fields[2][at.Hour])
            {
                at = at.Date.AddHours(at.Hour + 1);
            }
            else if (!fields[1][at.Minute])
            {
                at = at.Date.AddHours(at.Hour).AddMinutes(at.Minute + 1);
            }
            else if (!fields[0][at.Second])
            {
                at = at.AddSeconds(1);
            }
            else
            {
                return at;
            }
        }
        return DateTime.MaxValue;
    }

    private static bool[] Field(string text, (int From, int To) range, string whole)
    {
        var allowed = new bool[range.To + 1];
        foreach (var part in text.Split(','))
        {
            var steps = part.Split('/', 2);
            var ends = steps[0].Split('-', 2);
            var all = steps[0] is "*" or "?";
            var from = all ? range.From : Number(ends[0], range, whole);
            var to = all || (steps.Length > 1 && ends.Length == 1) ? range.To : ends.Length > 1 ? Number(ends[1], range, whole) : from;
            var step = steps.Length > 1 ? Math.Max(1, Number(steps[1], (1, range.To), whole)) : 1;
            for (var i = from; i <= to; i += step)
            {
                allowed[i] = true;
            }
        }
        return allowed;
    }

    private static int Number(string text, (int From, int To) range, string whole)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw Wrong(whole);
        }
        // Sunday may be written as 7.
        number = range is (0, 6) && number == 7 ? 0 : number;
        return number >= range.From && number <= range.To ? number : throw Wrong(whole);
    }

    private static ComponentException Wrong(string text) => new($"invalid schedule format '{text}'");
}

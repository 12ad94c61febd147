namespace LocalPlus.Sidecar.PubSub;

/// <summary>CEL's macros over lists and the keys of maps.</summary>
internal static class CelMacros
{
    public static object? Run(string name, object? target, Func<object?, object?> body)
    {
        var items = target switch
        {
            IReadOnlyList<object?> list => list,
            IReadOnlyDictionary<string, object?> map => [.. map.Keys],
            _ => throw new CelException($"no such overload: {name}"),
        };
        return name switch
        {
            "all" => !Any(items, body, wanted: false),
            "exists" => Any(items, body, wanted: true),
            "exists_one" => items.Count(i => Truth(body(i))) == 1,
            "filter" => items.Where(i => Truth(body(i))).ToList(),
            _ => items.Select(body).ToList(),
        };
    }

    /// <summary>An item that decides hides the errors of others.</summary>
    private static bool Any(IReadOnlyList<object?> items, Func<object?, object?> body, bool wanted)
    {
        CelException? failure = null;
        foreach (var item in items)
        {
            try
            {
                if (Truth(body(item)) == wanted)
                {
                    return true;
                }
            }
            catch (CelException problem)
            {
                failure ??= problem;
            }
        }
        return failure is null ? false : throw failure;
    }

    private static bool Truth(object? value) => value is bool truth ? truth : throw new CelException("no such overload");
}

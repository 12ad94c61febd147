using System.Text;

namespace LocalPlus.Sidecar.Cli;

/// <summary>
/// A command line that cannot be understood. The process ends with exit code 2, as Go's flag packages do.
/// </summary>
public sealed class FlagException(string message) : Exception(message);

/// <summary>
/// Reads flags the way daprd does: one or two dashes, <c>--name value</c> or <c>--name=value</c>, booleans without a
/// value, an unknown name is an error, the last value wins unless the flag is a list.
/// </summary>
public sealed class FlagSet
{
    private readonly Dictionary<string, Flag> flags = new(StringComparer.Ordinal);

    /// <summary>Arguments that are no flags, in order.</summary>
    public List<string> Arguments { get; } = [];

    /// <summary>Declares a flag that takes a value.</summary>
    public void Value(string name, Action<string> set) => flags[name] = new Flag(set, IsSwitch: false);

    /// <summary>Declares a flag that is true when named.</summary>
    public void Switch(string name, Action<bool> set) =>
        flags[name] = new Flag(text => set(ParseBool(name, text)), IsSwitch: true);

    /// <summary>Declares flags that daprd has and that change nothing here.</summary>
    public void Ignored(params string[] names)
    {
        foreach (var name in names)
        {
            Value(name, static _ => { });
        }
    }

    /// <summary>Declares boolean flags that daprd has and that change nothing here.</summary>
    public void IgnoredSwitches(params string[] names)
    {
        foreach (var name in names)
        {
            Switch(name, static _ => { });
        }
    }

    /// <summary>Applies the command line. Throws <see cref="FlagException"/> for what Go would refuse.</summary>
    public void Parse(IReadOnlyList<string> args)
    {
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (arg == "--")
            {
                Arguments.AddRange(args.Skip(i + 1));
                return;
            }
            if (arg.Length < 2 || arg[0] != '-')
            {
                Arguments.Add(arg);
                continue;
            }
            var body = arg.AsSpan(arg[1] == '-' ? 2 : 1);
            var equals = body.IndexOf('=');
            var name = (equals < 0 ? body : body[..equals]).ToString();
            if (!flags.TryGetValue(name, out var flag))
            {
                throw new FlagException($"unknown flag: --{name}");
            }
            if (equals >= 0)
            {
                Apply(name, flag, body[(equals + 1)..].ToString());
            }
            else if (flag.IsSwitch)
            {
                flag.Set("true");
            }
            else if (++i < args.Count)
            {
                Apply(name, flag, args[i]);
            }
            else
            {
                throw new FlagException($"flag needs an argument: --{name}");
            }
        }
    }

    /// <summary>The names, for the usage text.</summary>
    public string Usage()
    {
        var text = new StringBuilder("Usage of daprd:\n");
        foreach (var name in flags.Keys.Order(StringComparer.Ordinal))
        {
            text.Append("      --").Append(name).Append('\n');
        }
        return text.ToString();
    }

    private static void Apply(string name, Flag flag, string value)
    {
        try
        {
            flag.Set(value);
        }
        catch (FormatException problem)
        {
            throw new FlagException($"invalid argument \"{value}\" for \"--{name}\" flag: {problem.Message}");
        }
    }

    private static bool ParseBool(string name, string text) =>
        text switch
        {
            "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
            "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
            _ => throw new FlagException($"invalid argument \"{text}\" for \"--{name}\" flag: strconv.ParseBool"),
        };

    private sealed record Flag(Action<string> Set, bool IsSwitch);
}

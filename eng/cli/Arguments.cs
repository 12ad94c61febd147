namespace LocalPlus.Cli;

/// <summary>A verb's words: positions, flags and options with a value (`--name value` or `--name=value`).</summary>
internal sealed record Arguments(IReadOnlyList<string> Positions, IReadOnlySet<string> Flags, IReadOnlyDictionary<string, string> Options)
{
    public bool Has(string flag) => Flags.Contains(flag);

    public string? Option(string name) => Options.GetValueOrDefault(name);

    public static Arguments Parse(Verb verb, string[] words)
    {
        var positions = new List<string>();
        var flags = new HashSet<string>(StringComparer.Ordinal);
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < words.Length; i++)
        {
            var word = words[i];
            if (!word.StartsWith('-') || word == "-")
            {
                positions.Add(word);
                continue;
            }

            var equals = word.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? word : word[..equals];
            if (verb.Flags.Contains(name) && equals < 0)
            {
                flags.Add(name);
            }
            else if (!verb.Options.Contains(name))
            {
                throw CliFailure.Usage($"'{verb.Name}' has no option {name}", verb.Name);
            }
            else if (equals >= 0)
            {
                options[name] = word[(equals + 1)..];
            }
            else if (i + 1 < words.Length)
            {
                options[name] = words[++i];
            }
            else
            {
                throw CliFailure.Usage($"{name} needs a value", verb.Name);
            }
        }

        return new Arguments(positions, flags, options);
    }
}

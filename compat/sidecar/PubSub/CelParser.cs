using System.Globalization;
using System.Text;
using Expression = System.Func<System.Collections.Generic.IReadOnlyDictionary<string, object?>, object?>;

namespace LocalPlus.Sidecar.PubSub;

/// <summary>Recursive descent over one expression; every rule gives back a function of the variables.</summary>
internal sealed class CelParser(string text)
{
    private int at;

    public Expression Parse()
    {
        var result = Ternary();
        Blanks();
        return at == text.Length ? result : throw Wrong();
    }

    private Expression Ternary()
    {
        var condition = Or();
        if (!Take("?"))
        {
            return condition;
        }
        var yes = Ternary();
        Expect(":");
        var no = Ternary();
        return v => condition(v) is true ? yes(v) : no(v);
    }

    private Expression Or()
    {
        var left = And();
        while (Take("||"))
        {
            var (a, b) = (left, And());
            left = v => Either(a, b, v, decisive: true);
        }
        return left;
    }

    private Expression And()
    {
        var left = Relation();
        while (Take("&&"))
        {
            var (a, b) = (left, Relation());
            left = v => Either(a, b, v, decisive: false);
        }
        return left;
    }

    private Expression Relation()
    {
        var left = Sum();
        while (true)
        {
            var a = left;
            if (Take("=="))
            {
                var b = Sum();
                left = v => Cel.Same(a(v), b(v));
            }
            else if (Take("!="))
            {
                var b = Sum();
                left = v => !Cel.Same(a(v), b(v));
            }
            else if (Take("<="))
            {
                var b = Sum();
                left = v => Cel.Compare(a(v), b(v)) <= 0;
            }
            else if (Take(">="))
            {
                var b = Sum();
                left = v => Cel.Compare(a(v), b(v)) >= 0;
            }
            else if (Take("<"))
            {
                var b = Sum();
                left = v => Cel.Compare(a(v), b(v)) < 0;
            }
            else if (Take(">"))
            {
                var b = Sum();
                left = v => Cel.Compare(a(v), b(v)) > 0;
            }
            else if (TakeWord("in"))
            {
                var b = Sum();
                left = v => Cel.In(a(v), b(v));
            }
            else
            {
                return left;
            }
        }
    }

    private Expression Sum()
    {
        var left = Product();
        while (true)
        {
            var symbol = Take("+") ? '+' : Take("-") ? '-' : '\0';
            if (symbol == '\0')
            {
                return left;
            }
            var (a, b) = (left, Product());
            left = v => Cel.Arithmetic(symbol, a(v), b(v));
        }
    }

    private Expression Product()
    {
        var left = Unary();
        while (true)
        {
            var symbol = Take("*") ? '*' : Take("/") ? '/' : Take("%") ? '%' : '\0';
            if (symbol == '\0')
            {
                return left;
            }
            var (a, b) = (left, Unary());
            left = v => Cel.Arithmetic(symbol, a(v), b(v));
        }
    }

    private Expression Unary()
    {
        if (Take("!"))
        {
            var inner = Unary();
            return v => !Truth(inner, v);
        }
        if (Take("-"))
        {
            var inner = Unary();
            return v => Cel.Arithmetic('-', 0d, inner(v));
        }
        return Postfix();
    }

    private Expression Postfix()
    {
        var value = Primary();
        while (true)
        {
            var target = value;
            if (Take("."))
            {
                var name = Word() ?? throw Wrong();
                if (name is "all" or "exists" or "exists_one" or "filter" or "map" && Take("("))
                {
                    value = Macro(name, target);
                }
                else if (Take("("))
                {
                    var args = List(")");
                    value = v => Cel.Call(name, target(v), [.. args.Select(a => a(v))]);
                }
                else
                {
                    value = v => Cel.Member(target(v), name);
                }
            }
            else if (Take("["))
            {
                var index = Ternary();
                Expect("]");
                value = v => Cel.Index(target(v), index(v));
            }
            else
            {
                return value;
            }
        }
    }

    private Expression Primary()
    {
        Blanks();
        if (Take("("))
        {
            var inner = Ternary();
            Expect(")");
            return inner;
        }
        if (Take("["))
        {
            var items = List("]");
            return v => items.Select(i => i(v)).ToList();
        }
        if (at < text.Length && text[at] is '"' or '\'')
        {
            var literal = Quoted(text[at++]);
            return _ => literal;
        }
        if (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            var number = Digits();
            return _ => number;
        }
        var name = Word() ?? throw Wrong();
        return name switch
        {
            "true" => _ => true,
            "false" => _ => false,
            "null" => _ => null,
            "has" => Has(),
            _ when Take("(") => Function(name),
            _ => v => v.TryGetValue(name, out var value) ? value : throw new CelException($"undeclared reference to '{name}'"),
        };
    }

    /// <summary><c>list.exists(x, x > 1)</c> and its kind: the variable stands for each item, or each key of a map.</summary>
    private Expression Macro(string name, Expression target)
    {
        var variable = Word() ?? throw Wrong();
        Expect(",");
        var body = Ternary();
        Expect(")");
        return v => CelMacros.Run(name, target(v), item => body(new Dictionary<string, object?>(v, StringComparer.Ordinal) { [variable] = item }));
    }

    private Expression Function(string name)
    {
        var args = List(")");
        return v => Cel.Call(name, null, [.. args.Select(a => a(v))]);
    }

    private Expression Has()
    {
        Expect("(");
        var inner = Ternary();
        Expect(")");
        return v =>
        {
            try
            {
                inner(v);
                return true;
            }
            catch (CelException)
            {
                return false;
            }
        };
    }

    private List<Expression> List(string end)
    {
        var items = new List<Expression>();
        while (!Take(end))
        {
            if (items.Count > 0)
            {
                Expect(",");
            }
            items.Add(Ternary());
        }
        return items;
    }

    private string Quoted(char quote)
    {
        var result = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            var c = text[at++];
            if (c != '\\' || at == text.Length)
            {
                result.Append(c);
                continue;
            }
            c = text[at++];
            result.Append(c switch { 'n' => '\n', 't' => '\t', 'r' => '\r', _ => c });
        }
        return at++ < text.Length ? result.ToString() : throw Wrong();
    }

    private double Digits()
    {
        var from = at;
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] is '.' or 'e' or 'E'))
        {
            at++;
        }
        var digits = text.AsSpan(from, at - from);
        if (at < text.Length && text[at] is 'u' or 'U')
        {
            at++;
        }
        return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong();
    }

    private string? Word()
    {
        Blanks();
        var from = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_'))
        {
            at++;
        }
        return at == from ? null : text[from..at];
    }

    private bool TakeWord(string word)
    {
        var before = at;
        if (Word() == word)
        {
            return true;
        }
        at = before;
        return false;
    }

    private bool Take(string symbol)
    {
        Blanks();
        if (!text.AsSpan(at).StartsWith(symbol))
        {
            return false;
        }
        at += symbol.Length;
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Take(symbol))
        {
            throw Wrong();
        }
    }

    private void Blanks()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }
    }

    /// <summary>Both sides of <c>||</c> and <c>&amp;&amp;</c> count alike: one that decides hides the other's error.</summary>
    private static bool Either(Expression left, Expression right, IReadOnlyDictionary<string, object?> variables, bool decisive)
    {
        try
        {
            if (Truth(left, variables) == decisive)
            {
                return decisive;
            }
        }
        catch (CelException) when (Decides(right, variables, decisive))
        {
            return decisive;
        }
        return Truth(right, variables);
    }

    private static bool Decides(Expression expression, IReadOnlyDictionary<string, object?> variables, bool decisive)
    {
        try
        {
            return Truth(expression, variables) == decisive;
        }
        catch (CelException)
        {
            return false;
        }
    }

    private static bool Truth(Expression expression, IReadOnlyDictionary<string, object?> variables) =>
        expression(variables) is bool truth ? truth : throw new CelException("no such overload");

    private CelException Wrong() => new($"syntax error at {at} in {text}");
}

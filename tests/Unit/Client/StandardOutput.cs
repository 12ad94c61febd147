namespace LocalPlus.Tests.Unit.Client;

/// <summary>What is printed; there is one console, so the tests that look at it run one after the other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class StandardOutput
{
    public const string Name = "standard output";

    public static string Of(Action print)
    {
        var before = System.Console.Out;
        using var printed = new StringWriter { NewLine = "\n" };
        System.Console.SetOut(printed);
        try
        {
            print();
        }
        finally
        {
            System.Console.SetOut(before);
        }

        return printed.ToString();
    }

    public static async Task<string> OfAsync(Func<Task> print)
    {
        var before = System.Console.Out;
        using var printed = new StringWriter { NewLine = "\n" };
        System.Console.SetOut(printed);
        try
        {
            await print();
        }
        finally
        {
            System.Console.SetOut(before);
        }

        return printed.ToString();
    }
}

/**
 * @file What a user may write as settings. Made of settings-schema.ts by `npm run docs`, since types that are inferred
 * from a schema carry no comments into an editor.
 */

export interface SettingsInput {
  /** Tables, splits and what is done to pictures. */
  data: {
    /** CSV, Parquet or JSON-lines file relative to the project, or a SQL query. */
    table?: string | undefined;
    /** More tables, each with some of the label columns. */
    tables?:
      | {
          /** CSV, Parquet or JSON-lines file relative to the project, or a SQL query. */
          table: string;
          /** Columns that this table names differently: wanted name → its name here. */
          columns?: Record<string, string> | undefined;
          /** Instead of data.split. */
          split?:
            | {
                /** Column whose cells are train, valid (or val, validation) or test. */
                column: string;
                /** Which rows fall into which fold. */
                seed?: number | undefined;
                /** Column of groups, such as patients: the rows of one stay in one split, and in one fold. */
                groupBy?: string | undefined;
                /** Whether every class of every task, among its active labels, gets its share of every split and fold. */
                stratify?: boolean | undefined;
                /** Parts for cool run --folds; 5 where nothing is said. */
                folds?: number | undefined;
                /** The part of train and valid together that is valid; set by cool run --folds. */
                fold?: number | undefined;
              }
            | {
                /** Part of the rows that train. Default: 0.8. */
                train?: number | undefined;
                /** Part that decides thresholds and the best checkpoint. Default: 0.1. */
                valid?: number | undefined;
                /** Part that only the final evaluation sees. Default: 0.1. */
                test?: number | undefined;
                /** Which rows fall where. Default: 7. */
                seed?: number | undefined;
                /** Column of groups, such as patients: the rows of one stay in one split, and in one fold. */
                groupBy?: string | undefined;
                /** Whether every class of every task, among its active labels, gets its share of every split and fold. */
                stratify?: boolean | undefined;
                /** Parts for cool run --folds; 5 where nothing is said. */
                folds?: number | undefined;
                /** The part of train and valid together that is valid; set by cool run --folds. */
                fold?: number | undefined;
              }
            | undefined;
        }[]
      | undefined;
    /** Folders and files that SQL queries may read besides the project's folder and those of its tables. Default: []. */
    allow?: string[] | undefined;
    /** Which rows train, validate and test, in every table that brings no split of its own. */
    split?:
      | {
          /** Column whose cells are train, valid (or val, validation) or test. */
          column: string;
          /** Which rows fall into which fold. */
          seed?: number | undefined;
          /** Column of groups, such as patients: the rows of one stay in one split, and in one fold. */
          groupBy?: string | undefined;
          /** Whether every class of every task, among its active labels, gets its share of every split and fold. */
          stratify?: boolean | undefined;
          /** Parts for cool run --folds; 5 where nothing is said. */
          folds?: number | undefined;
          /** The part of train and valid together that is valid; set by cool run --folds. */
          fold?: number | undefined;
        }
      | {
          /** Part of the rows that train. Default: 0.8. */
          train?: number | undefined;
          /** Part that decides thresholds and the best checkpoint. Default: 0.1. */
          valid?: number | undefined;
          /** Part that only the final evaluation sees. Default: 0.1. */
          test?: number | undefined;
          /** Which rows fall where. Default: 7. */
          seed?: number | undefined;
          /** Column of groups, such as patients: the rows of one stay in one split, and in one fold. */
          groupBy?: string | undefined;
          /** Whether every class of every task, among its active labels, gets its share of every split and fold. */
          stratify?: boolean | undefined;
          /** Parts for cool run --folds; 5 where nothing is said. */
          folds?: number | undefined;
          /** The part of train and valid together that is valid; set by cool run --folds. */
          fold?: number | undefined;
        }
      | undefined;
    /** What a picture that cannot be decoded is: an error, or a row that is left out, counted and listed. Default: "error". */
    onBadImage?: "error" | "skip" | undefined;
    /** Column of how much each row counts in training, in the mean of every task; null: all alike. Default: null. */
    weight?: string | null | undefined;
    /** Whether missing labels of gates are taken from the labels of what they gate. Default: false. */
    impliedLabels?: boolean | undefined;
    /** How training pictures are changed at random, and the labels that measure them with them; null: not at all. Default: null. */
    augment?:
      | {
          /** Probability of a mirrored picture. Default: 0. */
          flipHorizontal?: number | undefined;
          /** Probability of a picture upside down. Default: 0. */
          flipVertical?: number | undefined;
          /** Largest shift along each axis, as a fraction of the picture's size. Default: 0. */
          shift?: number | undefined;
          /** Smallest and largest factor of size. Default: [1,1]. */
          scale?: [number, number] | undefined;
          /** The factor is drawn from 1 − value to 1 + value. Default: 0. */
          brightness?: number | undefined;
          /** The factor is drawn from 1 − value to 1 + value. Default: 0. */
          contrast?: number | undefined;
          /** The factor is drawn from 1 − value to 1 + value. Default: 0. */
          saturation?: number | undefined;
          /** Largest turn either way, in degrees. Default: 0. */
          rotate?: number | undefined;
          /** Smallest and largest share of the area that is cut out and enlarged, sides 3 : 4 to 4 : 3. Default: [1,1]. */
          crop?: [number, number] | undefined;
          /** How far the corners move inwards, as a fraction of half the size. Default: 0. */
          perspective?: number | undefined;
          /** Largest standard deviation of a Gaussian blur, in pixels. Default: 0. */
          blur?: number | undefined;
          /** Largest standard deviation of Gaussian noise, of the range from black to white. Default: 0. */
          noise?: number | undefined;
          /** Probability of a rectangle of the mean colour, 2 to 33 % of the area. Default: 0. */
          erase?: number | undefined;
          /** Two pictures of a batch faded into each other, with both labels: α of the Beta(α, α) of their shares, usually 0.1 to 0.4; 0: not (Zhang et al. 2018). Default: 0. */
          mixup?: number | undefined;
          /** A part of one picture of a batch pasted into another, with both labels: α of the Beta(α, α) of their shares, usually 1; 0: not (Yun et al. 2019). Default: 0. */
          cutmix?: number | undefined;
          /** Probability that a batch is mixed; tasks whose labels no mixture has learn from the other batches. Default: 1. */
          mixShare?: number | undefined;
        }
      | null
      | undefined;
  };
  /** How the network is trained. */
  train?:
    | {
        /** How often every training row is seen. Default: 10. */
        epochs?: number | undefined;
        /** Rows per step. Default: 32. */
        batchSize?: number | undefined;
        /** Steps between checkpoints within an epoch; null: only at its end. Default: null. */
        checkpointEverySteps?: number | null | undefined;
        /** Of the first weights, the order of rows, dropout and augmentation. Default: 7. */
        seed?: number | undefined;
        /** Copies of the network that share every batch; auto: as many as the machine has cores or GPUs for. Default: 1. */
        replicas?: number | "auto" | undefined;
        /** How gradients become steps. */
        optimizer?:
          | {
              /** Adam with decoupled weight decay (Loshchilov & Hutter 2019). */
              kind: "adamw";
              /** Size of a step. Default: 0.001. */
              learningRate?: number | undefined;
              /** Decay of the mean of gradients. Default: 0.9. */
              beta1?: number | undefined;
              /** Decay of the mean of their squares. Default: 0.999. */
              beta2?: number | undefined;
              /** Added to the denominator. Default: 1e-8. */
              epsilon?: number | undefined;
              /** Part of each weight that a step takes away, times learningRate. Default: 0.01. */
              weightDecay?: number | undefined;
            }
          | {
              /** Adam (Kingma & Ba 2015). */
              kind: "adam";
              /** Size of a step. Default: 0.001. */
              learningRate?: number | undefined;
              /** Decay of the mean of gradients. Default: 0.9. */
              beta1?: number | undefined;
              /** Decay of the mean of their squares. Default: 0.999. */
              beta2?: number | undefined;
              /** Added to the denominator. Default: 1e-8. */
              epsilon?: number | undefined;
              /** Times each weight, added to its gradient. Default: 0. */
              weightDecay?: number | undefined;
            }
          | {
              /** Stochastic gradient descent with momentum. */
              kind: "sgd";
              /** Size of a step. Default: 0.01. */
              learningRate?: number | undefined;
              /** Part of the last step that the next one keeps. Default: 0.9. */
              momentum?: number | undefined;
              /** Look ahead along the momentum. Default: false. */
              nesterov?: boolean | undefined;
              /** Times each weight, added to its gradient. Default: 0. */
              weightDecay?: number | undefined;
            }
          | {
              /** Gradients divided by the root of their mean square (Tieleman & Hinton 2012). */
              kind: "rmsprop";
              /** Size of a step. Default: 0.001. */
              learningRate?: number | undefined;
              /** Decay of the mean of squared gradients. Default: 0.99. */
              decay?: number | undefined;
              /** Added to the denominator. Default: 1e-8. */
              epsilon?: number | undefined;
              /** Part of the last step that the next one keeps. Default: 0. */
              momentum?: number | undefined;
              /** Times each weight, added to its gradient. Default: 0. */
              weightDecay?: number | undefined;
            }
          | {
              /** Steps of one size along the signs of a momentum (Chen et al. 2023). */
              kind: "lion";
              /** Size of a step: about a tenth of Adam's. Default: 0.0001. */
              learningRate?: number | undefined;
              /** Part of the momentum in a step's direction. Default: 0.9. */
              beta1?: number | undefined;
              /** Decay of the momentum. Default: 0.99. */
              beta2?: number | undefined;
              /** Part of each weight that a step takes away, times learningRate. Default: 0. */
              weightDecay?: number | undefined;
            }
          | undefined;
        /** How the learning rate goes from step to step, besides reduceOnPlateau; null: it stays. Default: null. */
        schedule?:
          | {
              /** The learning rate stays, after a warm-up. */
              kind: "constant";
              /** Epochs, or part of one, in which the rate grows along a line; 0: none. Default: 0. */
              warmupEpochs?: number | undefined;
              /** The part of the learning rate that it then starts from. Default: 0.1. */
              warmupFrom?: number | undefined;
            }
          | {
              /** Down along half a wave until the last step (Loshchilov & Hutter 2017). */
              kind: "cosine";
              /** The part of the learning rate that it comes down to. Default: 0. */
              finalFactor?: number | undefined;
              /** Epochs, or part of one, in which the rate grows along a line; 0: none. Default: 0. */
              warmupEpochs?: number | undefined;
              /** The part of the learning rate that it then starts from. Default: 0.1. */
              warmupFrom?: number | undefined;
            }
          | {
              /** Up to the learning rate and down again (Smith & Topin 2018). */
              kind: "oneCycle";
              /** Part of all steps in which it grows. Default: 0.3. */
              warmupFraction?: number | undefined;
              /** The part of the learning rate that it starts from. Default: 0.04. */
              initialFactor?: number | undefined;
              /** The part of the learning rate that it ends at. Default: 0.000004. */
              finalFactor?: number | undefined;
            }
          | {
              /** Multiplied after every epoch. */
              kind: "exponential";
              /** What it is multiplied by. Default: 0.95. */
              factor?: number | undefined;
              /** Epochs, or part of one, in which the rate grows along a line; 0: none. Default: 0. */
              warmupEpochs?: number | undefined;
              /** The part of the learning rate that it then starts from. Default: 0.1. */
              warmupFrom?: number | undefined;
            }
          | {
              /** Multiplied after some epochs. */
              kind: "steps";
              /** Epochs after which it is multiplied. */
              epochs: number[];
              /** What it is multiplied by. Default: 0.1. */
              factor?: number | undefined;
              /** Epochs, or part of one, in which the rate grows along a line; 0: none. Default: 0. */
              warmupEpochs?: number | undefined;
              /** The part of the learning rate that it then starts from. Default: 0.1. */
              warmupFrom?: number | undefined;
            }
          | null
          | undefined;
        /** Parts that a batch is computed in, one after the other, where all of it takes too much memory. Default: 1. */
        accumulate?: number | undefined;
        /** Evaluate, and keep as the best checkpoint, a moving average of the weights; null: the weights themselves. Default: null. */
        averageWeights?:
          | {
              /** Part of the average that a step keeps; the first ones keep less. Default: 0.999. */
              decay?: number | undefined;
            }
          | null
          | undefined;
        /** Largest norm of all gradients together; null: no limit. Default: null. */
        clipNorm?: number | null | undefined;
        /** What is done where gradients of tasks point against each other at a feature that they share: added, projected first (PCGrad: Yu et al. 2020), or made such that no task's loss rises (UPGrad: Quinton & Rey 2024). Default: "add". */
        conflicts?: "add" | "project" | "upgrad" | undefined;
        /** Losses are weighted by lossWeight alone, or by learned uncertainties as well (Kendall et al. 2018). Default: "constant". */
        taskWeighting?: "constant" | "uncertainty" | undefined;
        /** Which rows an epoch draws: every one once, or half of them by the tasks, so that one asked of few rows sees them often. Default: "uniform". */
        sampling?: "uniform" | "active" | undefined;
        /** Decides the best checkpoint, the plateau and early stopping: _total/loss or <task path>/<metric> on valid. Default: "_total/loss". */
        monitor?: string | undefined;
        /** A run, or the model.json of a saved LayersModel (relative to the project), whose weights to begin with. Default: null. */
        from?:
          | string
          | {
              /** Id, start of an id, name, or latest. */
              run: string;
            }
          | null
          | undefined;
        /** Features, tasks and flows whose weights stay as they are. Default: []. */
        freeze?: string[] | undefined;
        /** Factors of the learning rate for layers of the trunk, by name or beginning (block_1_*); of several that fit the first counts, and heads keep 1. */
        layerRates?: Record<string, number> | undefined;
        /** What a frozen trunk puts out is computed once per picture and kept in the store's cache, so that only what trains is run; null: the trunk runs in every step. */
        featureCache?:
          | {
              /** Of each number; float16 takes half the room, and changes answers by about a thousandth. Default: "float32". */
              precision?: "float32" | "float16" | undefined;
              /** Largest size of the cache; what was not used for longest is removed. Default: 10. */
              gigabytes?: number | undefined;
              /** With data.augment: so many changed copies of each picture take turns, and theirs are the features that are cached; null: every epoch changes pictures anew, and nothing is cached for training. Default: null. */
              views?: number | null | undefined;
            }
          | null
          | undefined;
        /** Lower the learning rate where the monitor no longer improves; null: never. Default: null. */
        reduceOnPlateau?:
          | {
              /** What the learning rate is multiplied by. Default: 0.5. */
              factor?: number | undefined;
              /** Epochs without improvement before that. Default: 5. */
              patience?: number | undefined;
              /** Where it stops. Default: 0.000001. */
              minLearningRate?: number | undefined;
            }
          | null
          | undefined;
        /** End the run where the monitor no longer improves; null: never. Default: null. */
        earlyStopping?:
          | {
              /** Epochs without improvement before the end. Default: 10. */
              patience?: number | undefined;
            }
          | null
          | undefined;
      }
    | undefined;
  /** How thresholds are tuned. */
  tune?:
    | {
        /** What the best thresholds are best for. Default: "f1_score". */
        metric?: string | undefined;
      }
    | undefined;
  /** What is measured besides. */
  evaluate?:
    | {
        /** Metrics to compute besides the usual ones, after each epoch and at the end, e.g. matthews_correlation. Default: []. */
        metrics?: string[] | undefined;
        /** How far off a number may be and still be right, end to end, as a share of its range. Default: 0.05. */
        tolerance?: number | undefined;
      }
    | undefined;
  /** What is logged, and how often. */
  log?:
    | {
        /** Best and worst samples kept per task. Default: 10. */
        top?: number | undefined;
        /** Epochs between pictures of them in TensorBoard; null: only at the end. Default: 10. */
        imagesEvery?: number | null | undefined;
        /** Pictures of one tag at most: the first, that of the end, and between them ever fewer as the run goes on; null: any number. Default: 20. */
        maxImages?: number | null | undefined;
        /** Format of these pictures. Default: "png". */
        imageFormat?: "png" | "jpeg" | undefined;
        /** Steps between points of the running loss; null: only whole epochs. Default: 20. */
        every?: number | null | undefined;
        /** Distributions of weights and scores in TensorBoard after each epoch. Default: false. */
        histograms?: boolean | undefined;
      }
    | undefined;
}
